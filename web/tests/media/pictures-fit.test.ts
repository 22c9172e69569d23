import fc from "fast-check";
import { expect, test } from "vitest";
import { fitted } from "../../src/media/letterbox.ts";
import { parameterSets } from "../../src/media/parameter-sets.ts";
import { encoderConfig } from "../../src/media/picture-codec.ts";
import { shrunk, STEPS } from "../../src/media/size.ts";

const side = fc.integer({ min: 2, max: 4000 });
const size = fc.record({ width: side, height: side });

test("an upright picture stands in the middle of a wide one", () => {
  expect(fitted({ width: 480, height: 640 }, { width: 640, height: 360 })).toEqual({
    x: 185,
    y: 0,
    width: 270,
    height: 360,
  });
});

test("a picture is never cut and touches two sides", () => {
  fc.assert(
    fc.property(size, size, (picture, box) => {
      const { x, y, width, height } = fitted(picture, box);
      expect(x >= 0 && y >= 0 && x + width <= box.width && y + height <= box.height).toBe(true);
      expect(width === box.width || height === box.height).toBe(true);
    }),
  );
});

test("steps down are 720, 480 and 360 lines, in the same shape, with even sides", () => {
  const wide = [0, 1, 2].map((step) => shrunk({ width: 1280, height: 720 }, step).height);
  expect([...wide, STEPS]).toEqual([720, 480, 360, 2]);
  expect(shrunk({ width: 720, height: 1280 }, 1)).toEqual({ width: 480, height: 854 });
});

test("parameter sets are taken out of a configuration, each with its length", () => {
  const avcC = Uint8Array.from([1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 3, 0x67, 1, 2, 1, 0, 2, 0x68, 9]);
  expect([...parameterSets(avcC)]).toEqual([0, 0, 0, 3, 0x67, 1, 2, 0, 0, 0, 2, 0x68, 9]);
  expect([...parameterSets(Uint8Array.of(7, 7, ...avcC).subarray(2))]).toEqual([...parameterSets(avcC)]);
});

test("a second start of an encoder asks for software", () => {
  const choice = { codec: "avc", name: "avc1.64001f", size: { width: 640, height: 360 } } as const;
  expect(encoderConfig(choice, choice.size, true).hardwareAcceleration).toBe("prefer-software");
  expect(encoderConfig(choice, choice.size, false)).toMatchObject({ avc: { format: "avc" }, latencyMode: "realtime" });
});
