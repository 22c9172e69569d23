import { expect, test } from "vitest";
import { Effort } from "../../src/media/effort.ts";

function fed(effort: Effort, from: number, count: number, waiting: (index: number) => number): number {
  let at = from;
  for (let index = 0; index < count; index++, at += 33) effort.note(at, waiting(index), waiting(index) >= 6);
  return at;
}

test("an encoder that keeps up is not behind, nor one that stumbles once", () => {
  const effort = new Effort();
  const at = fed(effort, 0, 60, (index) => (index > 20 && index < 30 ? 6 : 1));
  expect(effort.isBehind(at)).toBe(false);
});

test("one that leaves out every second frame is behind within a second", () => {
  const effort = new Effort();
  const at = fed(effort, 0, 30, () => 5);
  expect(effort.isBehind(at)).toBe(true);
  expect(at).toBeLessThan(1000);
});

test("a few frames say nothing, nor do many at once after a stall", () => {
  const [few, burst] = [new Effort(), new Effort()];
  few.note(0, 6, true);
  few.note(800, 6, true);
  expect(few.isBehind(900)).toBe(false);
  for (let at = 2000; at < 2100; at += 5) burst.note(at, 6, true);
  expect(burst.isBehind(2100)).toBe(false);
});

test("a change is given time to show its effect", () => {
  const effort = new Effort();
  let at = fed(effort, 0, 30, () => 6);
  effort.begin(at);
  at = fed(effort, at, 30, () => 6);
  expect(effort.isBehind(at)).toBe(false);
  at = fed(effort, at, 30, () => 6);
  expect(effort.isBehind(at)).toBe(true);
});
