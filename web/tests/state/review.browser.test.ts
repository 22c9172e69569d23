import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DraftsState } from "../../src/state/drafts.svelte";
import { ReviewState } from "../../src/state/drafts-review.svelte";
import type { House } from "../../src/state/house.svelte";
import { SendingState } from "../../src/state/sending.svelte";
import { openDatabase, type Database } from "../../src/storage/db";
import { Drafts, type DraftContent } from "../../src/storage/drafts";
import { newId } from "../../src/protocol/ids";

/** The device as it is after the browser has cleared its files, and left what it knows of them. */
let db: Database;
let house: House;
let review: ReviewState | null;
const sending = { get: () => null };
const drafts = { answering: () => null, recallAnswer: async () => Promise.resolve(null), typed: () => null };
const ACCT = "ann@here";
const FILM: DraftContent["video"] = { size: 65_736, sha256: ["AA"], type: "video/mp4", ms: 4000, w: 640, h: 480 };

beforeEach(async () => {
  review = null;
  db = await openDatabase();
  const part = (Part: unknown): unknown => (Part === SendingState ? sending : Part === DraftsState ? drafts : null);
  house = { db, account: { acct: ACCT, name: "ann" }, crypto: { openVideo: vi.fn() }, part } as unknown as House;
});
afterEach(async () => {
  if (review) {
    review.close();
    await new Drafts(db).remove(review.id);
  }
  db.close();
});

async function opened(content: Partial<DraftContent>): Promise<ReviewState> {
  const id = newId("msg");
  const here = new Drafts(db);
  await here.make({ id, acct: ACCT, createdMs: 1, messageKey: "AGE-SECRET-KEY-1X" });
  await here.change(id, () => ({ video: FILM, ...content }));
  const state = (review = new ReviewState(house, id, () => undefined));
  await vi.waitUntil(() => state.phase.kind !== "opening", { timeout: 10_000, interval: 5 });
  return state;
}

test("what the browser cleared before the server had it cannot be opened, and says so", async () => {
  const state = await opened({ isStored: false });
  expect(state.phase).toEqual({ kind: "failed", failure: { code: "not-on-this-device" } });
});

test("what the server has can still be sent, though there is nothing to look at", async () => {
  const state = await opened({ isStored: true, wish: { to: ["bob@here"], caption: "Hello" } });
  expect(state.phase).toEqual({ kind: "ready" });
  expect([state.isHere, state.film]).toEqual([false, null]);
  expect([state.recipients, state.caption]).toEqual([["bob@here"], "Hello"]);
});
