import { expect, test } from "vitest";
import { type Device, facingOf, otherSide } from "../../src/media/devices.ts";

function camera(id: string, facing: Device["facing"] = null): Device {
  return { id, label: id, facing };
}

test("where a camera looks is told by its modes, else by its name", () => {
  expect(facingOf(["environment"], "Front Camera")).toBe("rear");
  expect(facingOf([], "Caméra avant")).toBe("front");
  expect(facingOf([], "camera2 0, facing back")).toBe("rear");
  expect(facingOf([], "HD Webcam")).toBeNull();
});

test("a flip goes to the other side, whatever the order of the list", () => {
  const list = [camera("wide", "rear"), camera("tele", "rear"), camera("selfie", "front")];
  expect(otherSide(list, list[2] ?? null)?.id).toBe("wide");
  expect(otherSide(list, list[0] ?? null)?.id).toBe("selfie");
});

test("without sides a flip goes round; with one camera nowhere", () => {
  const list = [camera("one"), camera("two"), camera("three")];
  expect(list.map((each) => otherSide(list, each)?.id)).toEqual(["two", "three", "one"]);
  expect(otherSide([camera("one")], camera("one"))).toBeNull();
  expect(otherSide([], null)).toBeNull();
  expect(otherSide(list, null)?.id).toBe("one");
});
