// A worker that says nothing any more: its take ends, and what it kept is offered as an interrupted draft.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { News, Order } from "../../src/take/orders";
import { Take, type TakeState } from "../../src/take/take";

const worker = vi.hoisted(() => ({
  tell: (_news: News): void => undefined,
  orders: [] as Order["type"][],
  isClosed: false,
}));
vi.mock("../../src/take/link", () => ({
  startWorker: (onNews: (news: News) => void) => {
    worker.tell = onNews;
    return { order: ({ type }: Order) => worker.orders.push(type), close: () => (worker.isClosed = true) };
  },
  prepareWorker: () => () => undefined,
}));
const discarded = vi.hoisted(() => ({ ids: [] as string[] }));
vi.mock("../../src/take/recovery", () => ({
  discardDraft: async (id: string) => Promise.resolve(void discarded.ids.push(id)),
}));
vi.mock("../../src/media/recorder-fallback", () => ({ needsFallback: () => false }));

let take: Take;
let shown: TakeState[];
const state = () => take.state;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setTimeout"] });
  Object.assign(worker, { orders: [], isClosed: false });
  shown = [];
  const feed = { video: new MessageChannel().port1, audio: null };
  take = Take.start(feed, { acct: "ann@here", onChange: (each) => shown.push(each) });
});
afterEach(() => {
  take.close();
  vi.useRealTimers();
});

function begin(): void {
  worker.tell({ type: "started" });
  worker.tell({ type: "kept", ms: 3000 });
}

test("twenty seconds without a word end a take that is recorded, with what is kept", () => {
  begin();
  vi.advanceTimersByTime(19_000);
  worker.tell({ type: "progress", mediaMs: 3100 });
  vi.advanceTimersByTime(19_000);
  expect([state().phase, worker.isClosed]).toEqual(["recording", false]);
  vi.advanceTimersByTime(1000);
  expect(state()).toMatchObject({ phase: "failed", code: "interrupted", keptMs: 3000 });
  expect(worker.isClosed).toBe(true); // so that nobody holds the draft
  expect(shown.at(-1)).toBe(state()); // and the page was told
});

test("so do they while it ends: whoever waits for the end is told", async () => {
  begin();
  const stopped = take.stop();
  const refused = expect(stopped).rejects.toMatchObject({ code: "interrupted" });
  expect(worker.orders).toEqual(["record", "stop"]);
  vi.advanceTimersByTime(20_000);
  await refused;
  expect(state().phase).toBe("failed");
});

test("a worker that never begins is no recording", () => {
  vi.advanceTimersByTime(20_000);
  expect(state()).toMatchObject({ phase: "failed", code: "interrupted", keptMs: 0 });
});

test("once a take is kept its worker may be quiet: an upload waits as long as it must", () => {
  begin();
  worker.tell({ type: "complete", ms: 3000, bytes: 9 });
  vi.advanceTimersByTime(600_000);
  expect([state().phase, worker.isClosed]).toEqual(["kept", false]);
});

test("a page that was held up itself takes no worker for dead", () => {
  begin();
  vi.setSystemTime(Date.now() + 3_600_000); // a lid was closed for an hour
  vi.advanceTimersByTime(1000);
  expect(state().phase).toBe("recording");
});

test("a take that is given up while the last of it goes up is given up all the same", async () => {
  begin();
  worker.tell({ type: "complete", ms: 3000, bytes: 9 });
  const given = take.discard();
  worker.tell({ type: "brought" }); // then the worker is let go, and answers no more
  await given;
  expect([state().phase, discarded.ids]).toEqual(["discarded", [take.id]]);
});
