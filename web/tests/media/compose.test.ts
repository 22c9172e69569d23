import { describe, expect, it } from "vitest";
import { bubbleIn, squareOf } from "../../src/media/compose";

describe("the bubble", () => {
  it.each([
    { width: 1280, height: 720 },
    { width: 640, height: 360 },
    { width: 720, height: 1280 },
  ])("lies in the lower right of $width × $height, whole", (size) => {
    const { at, side, ring } = bubbleIn(size);
    const right = size.width - at.x - side;
    expect(right).toBe(size.height - at.y - side);
    expect(right).toBeGreaterThan(ring);
    expect(side).toBeLessThan(Math.min(size.width, size.height) / 3);
    expect(at.x).toBeGreaterThan(size.width / 2);
  });

  it("shows the middle of the camera's picture", () => {
    expect(squareOf({ width: 640, height: 480 })).toEqual({ x: 80, y: 0, width: 480, height: 480 });
    expect(squareOf({ width: 480, height: 640 })).toEqual({ x: 0, y: 80, width: 480, height: 480 });
  });
});
