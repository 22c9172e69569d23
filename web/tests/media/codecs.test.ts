import fc from "fast-check";
import { expect, test } from "vitest";
import { outputSize, pictureBitrate } from "../../src/media/size";
import { sharpnessOf } from "../../src/media/poster";

const side = fc.integer({ min: 2, max: 4096 });

test("an output has even sides, the camera's shape, and is no larger than 1280", () => {
  fc.assert(
    fc.property(side, side, (width, height) => {
      const size = outputSize({ width, height });
      expect((size.width % 2) + (size.height % 2)).toBe(0);
      expect(Math.max(size.width, size.height)).toBeLessThanOrEqual(1280);
      expect(Math.min(size.width, size.height)).toBeGreaterThanOrEqual(2);
    }),
  );
  expect(outputSize({ width: 1920, height: 1080 })).toEqual({ width: 1280, height: 720 });
  expect(outputSize({ width: 1080, height: 1920 })).toEqual({ width: 720, height: 1280 });
  expect(outputSize({ width: 641, height: 480 })).toEqual({ width: 642, height: 480 });
});

test("three minutes at the largest rate fit an upload", () => {
  expect(((pictureBitrate({ width: 1280, height: 1280 }) + 96_000) * 180) / 8).toBeLessThan(60 << 20);
  expect(pictureBitrate({ width: 1280, height: 720 })).toBe(1_500_000);
  expect(pictureBitrate({ width: 854, height: 480 })).toBeCloseTo(800_000, -5);
});

test("a drawing is sharper than its blur, and black has no sharpness", () => {
  const picture = (value: (column: number) => number): Uint8ClampedArray => {
    const rgba = new Uint8ClampedArray(64 * 64 * 4);
    for (let at = 0; at < 64 * 64; at++) rgba.fill(value(at % 64), at * 4, at * 4 + 3);
    return rgba;
  };
  expect(sharpnessOf(picture(() => 0))).toBe(0);
  const soft = sharpnessOf(picture((column) => column * 4));
  const hard = sharpnessOf(picture((column) => (column % 8 < 4 ? 0 : 255)));
  expect(hard).toBeGreaterThan(soft * 10);
});
