import { expect, test, vi } from "vitest";
import { percentOf, type News } from "../../src/take/orders";
import { changeBy, type TakeState } from "../../src/take/take";

vi.mock("../../src/take/link", () => ({
  startWorker: () => ({ order: () => undefined, close: () => undefined }),
  prepareWorker: () => () => undefined,
}));

const begin: TakeState = {
  phase: "starting",
  isPaused: false,
  mediaMs: 0,
  keptMs: 0,
  storedMs: 0,
  percent: null,
  isStored: false,
  trouble: null,
  end: null,
  code: null,
  size: null,
  isBehind: false,
};

function after(...news: News[]): TakeState {
  return news.reduce<TakeState>((state, each) => ({ ...state, ...changeBy(each, state) }), begin);
}

test("a take says kept and stored only what it was told to be", () => {
  const state = after(
    { type: "started" },
    { type: "progress", mediaMs: 3200 },
    { type: "kept", ms: 2000 },
    { type: "stored", ms: 1000, bytes: 65_536, total: null },
  );
  expect(state).toMatchObject({ phase: "recording", mediaMs: 3200, keptMs: 2000, storedMs: 1000, percent: null });
});

test("99 % is never called 100", () => {
  expect(percentOf(9999, 10_000)).toBe(99);
  expect(percentOf(10_000, 10_000)).toBe(100);
  expect(percentOf(5, null)).toBeNull();
});

test("a take on a full device ends, is kept, and says why", () => {
  const state = after(
    { type: "started" },
    { type: "kept", ms: 40_000 },
    { type: "ended", end: "device-full" },
    { type: "ended", end: "sink" },
    { type: "complete", ms: 40_500, bytes: 9 },
  );
  expect(state).toMatchObject({ phase: "kept", end: "device-full", keptMs: 40_500, code: null });
});

test("a kept take stays kept when its upload meets what only a person can cure", () => {
  const state = after({ type: "complete", ms: 900, bytes: 9 }, { type: "failed", code: "too-large" });
  expect(state).toMatchObject({ phase: "kept", trouble: "too-large" });
});

test("an upload that begins anew is stored from the beginning", () => {
  const state = after(
    { type: "complete", ms: 900, bytes: 100 },
    { type: "stored", ms: 500, bytes: 50, total: 100 },
    { type: "stored", ms: 0, bytes: 0, total: 100 },
  );
  expect(state).toMatchObject({ storedMs: 0, percent: 0, isStored: false });
});
