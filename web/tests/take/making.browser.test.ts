import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { MakingOrder, News, Order } from "../../src/take/orders";

/** A stand-in for the recorder's worker: what it is told, and a way to answer. */
const worker = vi.hoisted(() => ({
  orders: [] as Order[],
  isOpen: false,
  say: (() => undefined) as (news: News) => void,
}));

vi.mock("../../src/take/link", () => ({
  startWorker: (onNews: (news: News) => void) => {
    worker.isOpen = true;
    worker.say = onNews;
    return {
      order: (order: Order) => void worker.orders.push(order),
      close: () => {
        worker.isOpen = false;
      },
    };
  },
}));

const { make } = await import("../../src/take/making");
const { bringUp, isBroughtHere, letGo } = await import("../../src/take/bringers");

const TRIM: MakingOrder = { type: "trim", id: "msg_new", old: "msg_old", cut: { fromMs: 0, toMs: 1000 } };

beforeEach(() => {
  worker.orders.length = 0;
});
afterEach(() => letGo("msg_new"));

describe("making a draft", () => {
  it("gives the id when all is kept, and brings it up afterwards", async () => {
    const shown: number[] = [];
    const made = make(TRIM, { onProgress: (done) => void shown.push(done) });
    expect(worker.orders).toEqual([TRIM]);
    worker.say({ type: "making", done: 0.5 });
    worker.say({ type: "made", id: "msg_new" });
    await expect(made).resolves.toBe("msg_new");
    expect(shown).toEqual([0.5]);
    expect([worker.isOpen, isBroughtHere("msg_new")]).toEqual([true, true]);
    const brought = bringUp("msg_new", () => undefined, new AbortController().signal);
    worker.say({ type: "brought" });
    await expect(brought).resolves.toBeUndefined();
    expect([worker.isOpen, isBroughtHere("msg_new")]).toEqual([false, false]);
  });

  it.each([
    ["file-too-long", "FileRefused", { ms: 185_000 }],
    ["device-full", "StorageError", undefined],
    ["video-damaged", "MakingFailed", undefined],
  ])("is refused with %s as a %s", async (code, name, facts) => {
    const made = make(TRIM, {});
    worker.say({ type: "refused", code, facts: facts ?? {} });
    await expect(made).rejects.toMatchObject({ code, name, ...(facts && { facts }) });
    expect([worker.isOpen, isBroughtHere("msg_new")]).toEqual([false, false]);
  });

  it("says so when its worker dies", async () => {
    const made = make(TRIM, {});
    worker.say({ type: "failed", code: "interrupted" });
    await expect(made).rejects.toMatchObject({ code: "interrupted" });
    expect(worker.isOpen).toBe(false);
  });

  it("that is cancelled clears away before its worker ends", async () => {
    const cancelling = new AbortController();
    const made = make(TRIM, { signal: cancelling.signal });
    cancelling.abort(new DOMException("enough", "AbortError"));
    await expect(made).rejects.toMatchObject({ name: "AbortError" });
    expect(worker.orders.at(-1)).toEqual({ type: "cancel" });
    expect(worker.isOpen).toBe(true);
    worker.say({ type: "refused", code: "interrupted", facts: {} });
    expect(worker.isOpen).toBe(false);
  });

  it("does not begin when it is cancelled already", async () => {
    await expect(make(TRIM, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: "AbortError" });
    expect(worker.orders).toEqual([]);
  });
});
