import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DeviceVault } from "../../src/storage/keys";
import { DraftsState, GREETING } from "../../src/state/drafts.svelte";
import type { House } from "../../src/state/house.svelte";
import { LinkWay } from "../../src/state/link-way";
import { SendingState } from "../../src/state/sending.svelte";
import { openDatabase, type Database } from "../../src/storage/db";
import { Drafts } from "../../src/storage/drafts";
import type { FoundDraft } from "../../src/take/recovery";
import type { SendingOptions } from "../../src/take/sending";
import type { Take } from "../../src/take/take";

/** What lies on the device, and what becomes of a send, as a test says. */
const world = vi.hoisted(() => ({
  found: [] as FoundDraft[],
  discarded: [] as string[],
  free: new Map<string, () => void>(),
  runs: [] as { id: string; to: readonly string[] | null; options: SendingOptions }[],
  outcome: null as ((options: SendingOptions) => Promise<void>) | null,
}));

vi.mock("../../src/take/recovery", () => ({
  findDrafts: async () => Promise.resolve([...world.found]),
  discardDraft: async (id: string) => {
    world.discarded.push(id);
    world.found = world.found.filter((draft) => draft.id !== id);
    return Promise.resolve();
  },
  onceFree: async (id: string) => new Promise<void>((resolve) => world.free.set(id, resolve)),
  sweepSpools: async () => Promise.resolve(),
  takeBackUploads: async () => Promise.resolve(),
}));
vi.mock("../../src/take/bringers", () => ({
  BringingFailed: class extends Error {
    constructor(readonly code: string) {
      super(code);
    }
  },
}));
vi.mock("../../src/take/outgoing", () => ({ messageOf: () => null }));
vi.mock("../../src/take/sending", () => {
  const run = async (id: string, to: readonly string[] | null, options: SendingOptions): Promise<void> => {
    world.runs.push({ id, to, options });
    await (world.outcome?.(options) ??
      new Promise((_, reject) => {
        options.signal?.addEventListener("abort", () => reject(options.signal?.reason as Error));
      }));
  };
  return {
    sendDraft: async (id: string, wish: { to: string[] }, options: SendingOptions) => run(id, wish.to, options),
    resumeDraft: async (id: string, options: SendingOptions) => run(id, null, options),
  };
});

const draft = (id: string, kind: FoundDraft["kind"], more: Partial<FoundDraft> = {}): FoundDraft => ({
  id,
  kind,
  createdMs: 1,
  ms: 4000,
  to: [],
  isStored: false,
  ...more,
});
const ids = (list: readonly FoundDraft[]): string[] => list.map(({ id }) => id);
const turn = async (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));
const waits = async (isSo: () => boolean) => vi.waitUntil(isSo, { timeout: 5000, interval: 5 });

let count = 0;
let db: Database;
let sending: SendingState;
let drafts: DraftsState;
let house: House;
const live = { isOffline: false };
/** What the server says of sending, and how often it was asked. */
const opens = { allowed: true, opens_at: null as number | null, asked: 0 };
const api = { get: async () => ((opens.asked += 1), Promise.resolve({ ...opens })) };

async function device(...found: FoundDraft[]): Promise<void> {
  world.found = found;
  for (const { id } of found) {
    await new Drafts(db).make({ id, acct: "ann@here", createdMs: 1, messageKey: "AGE-SECRET-KEY-1X" });
  }
  const vault = await DeviceVault.open("ann@here", db);
  const part = (Kind: unknown) => (Kind === DraftsState ? drafts : sending);
  house = { db, live, vault, account: { acct: "ann@here" }, api, part } as unknown as House;
  sending = new SendingState(house, 50);
  drafts = new DraftsState(house);
  await waits(() => drafts.isLooked);
}

beforeEach(async () => {
  Object.assign(world, { found: [], discarded: [], free: new Map(), runs: [], outcome: null });
  live.isOffline = false;
  Object.assign(opens, { allowed: true, opens_at: null, asked: 0 });
  db = await openDatabase(`drafts-${++count}-${Date.now()}`);
});
afterEach(() => {
  drafts.close();
  sending.close();
  db.close();
});

test("every take is listed; those that wait for a person are offered", async () => {
  await device(
    draft("a", "kept"),
    draft("b", "interrupted", { ms: null }),
    draft("c", "elsewhere"),
    draft("d", "evicted"),
    draft("e", "sending", { to: ["bob@here"] }),
  );
  expect(ids(drafts.all)).toEqual(["a", "b", "c", "d", "e"]);
  expect(ids(drafts.kept)).toEqual(["a", "b", "d"]);
  await waits(() => sending.get("e") !== null);
  expect(sending.get("e")?.kind).toBe("going");
});

test("a deletion can be taken back, and is carried out when the page is left", async () => {
  await device(draft("a", "kept"), draft("b", "kept"));
  drafts.delete("a");
  expect([drafts.deleted?.id, ids(drafts.all), ids(drafts.kept)]).toEqual(["a", ["b"], ["b"]]);
  await drafts.refresh();
  expect(ids(drafts.all)).toEqual(["b"]);
  drafts.undo();
  await waits(() => drafts.all.length === 2);
  expect(world.discarded).toEqual([]);
  drafts.delete("a");
  drafts.delete("b"); // the first can no longer be brought back
  await waits(() => world.discarded.length === 1);
  dispatchEvent(new Event("pagehide"));
  await waits(() => world.discarded.length === 2);
  expect(world.discarded).toEqual(["a", "b"]);
});

test("what is on its way is not sent while it can still be brought back, and goes on when it is", async () => {
  await device(draft("a", "sending", { to: ["bob@here"] }));
  await waits(() => world.runs.length === 1);
  drafts.delete("a");
  expect(world.runs[0]?.options.signal?.aborted).toBe(true);
  await drafts.refresh();
  expect(world.runs).toHaveLength(1);
  drafts.undo();
  await waits(() => world.runs.length === 2);
});

test("a take of another tab is offered when that tab has let go of it", async () => {
  await device(draft("a", "elsewhere"));
  expect(drafts.kept).toEqual([]);
  world.found = [draft("a", "kept")];
  world.free.get("a")?.();
  await waits(() => drafts.kept.length === 1);
});

test("two takes go up at the same time, each with its own state", async () => {
  await device(draft("a", "kept"), draft("b", "kept"));
  void sending.send("a", { to: ["bob@here"], caption: null });
  void sending.send("b", { to: ["eve@here"], caption: "Hi" });
  await waits(() => world.runs.length === 2);
  const run = (id: string) => world.runs.find((each) => each.id === id)?.options;
  run("a")?.onState?.({ kind: "uploading", percent: 40, trouble: null });
  run("b")?.onState?.({ kind: "uploading", percent: 7, trouble: "storage-full" });
  expect(sending.going.map(({ id, percent, held }) => [id, percent, held])).toEqual([
    ["a", 40, null],
    ["b", 7, "server-full"],
  ]);
  run("a")?.onState?.({ kind: "sent", receivedAtMs: 9 });
  expect([sending.get("a")?.kind, sending.get("b")?.kind]).toEqual(["sent", "going"]);
  expect(sending.going.map(({ id }) => id)).toEqual(["b"]);
});

test("a message that had already left for others says for whom", async () => {
  await device(draft("a", "kept"));
  void sending.send("a", { to: ["eve@here"], caption: null });
  await waits(() => world.runs.length === 1);
  world.runs[0]?.options.onState?.({ kind: "sent", receivedAtMs: 9, to: ["bob@here"] });
  expect(sending.get("a")).toMatchObject({ kind: "sent", to: ["bob@here"], receivedAt: 9 });
});

test("a refused send can be tried again for the same people, or addressed anew", async () => {
  await device(draft("a", "kept"));
  world.outcome = async () => Promise.reject(Object.assign(new Error("no"), { code: "no-such-recipient" }));
  await sending.send("a", { to: ["nobody@here"], caption: null });
  expect(sending.get("a")).toMatchObject({ kind: "failed", failure: { code: "no-such-recipient" } });
  expect(ids(drafts.kept)).toEqual(["a"]);
  await sending.retry("a");
  expect(world.runs.map(({ to }) => to)).toEqual([["nobody@here"], null]);
  await new Drafts(db).change("a", () => ({ wish: { to: ["nobody@here"], caption: null } }));
  await sending.cancel("a");
  expect([sending.get("a"), (await new Drafts(db).get("a")).content.wish]).toEqual([null, null]);
});

test("what was refused because sending is not open leaves by itself when it is, and nothing else does", async () => {
  await device(draft("a", "kept"), draft("b", "kept"));
  opens.allowed = false;
  let code = "not-available-yet";
  world.outcome = async () => Promise.reject(Object.assign(new Error("no"), { code }));
  await sending.send("a", { to: ["bob@here"], caption: null });
  code = "no-such-recipient";
  await sending.send("b", { to: ["nobody@here"], caption: null });
  await waits(() => opens.asked > 1);
  expect(world.runs).toHaveLength(2);
  expect(sending.get("a")).toMatchObject({ kind: "failed", failure: { code: "not-available-yet" } });
  world.outcome = async () => Promise.resolve();
  opens.allowed = true;
  await waits(() => world.runs.length === 3);
  const { asked } = opens;
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect([world.runs.map(({ id }) => id), opens.asked]).toEqual([["a", "b", "a"], asked]);
});

test("a greeting that was begun and not sent is offered as one again, also in the next life of the page; no other take is", async () => {
  await device(draft("a", "kept"), draft("b", "interrupted"));
  const way = (): LinkWay => new LinkWay(house, () => Promise.reject(new Error("nobody records")), GREETING);
  expect(await way().find()).toEqual([]);
  drafts.adopt({ id: "b", state: { phase: "kept" }, close: () => undefined } as unknown as Take, {
    to: GREETING,
    replyTo: null,
  });
  await waits(() => drafts.answering("b") !== null);
  await turn();
  drafts.close();
  drafts = new DraftsState(house);
  expect(ids(await way().find())).toEqual(["b"]);
  world.found = [draft("a", "kept"), draft("c", "kept")];
  way().moved("b", "c");
  await turn();
  expect(ids(await way().find())).toEqual(["c"]);
});

test("another tab that has it is waited for, not fought", async () => {
  await device(draft("a", "kept"));
  const { BringingFailed } = await import("../../src/take/bringers");
  let isBusy = true;
  world.outcome = async () => (isBusy ? Promise.reject(new BringingFailed("busy")) : Promise.resolve());
  void sending.send("a", { to: ["bob@here"], caption: null });
  await waits(() => world.free.has("a"));
  expect(sending.get("a")?.kind).toBe("going");
  isBusy = false;
  world.free.get("a")?.();
  await waits(() => world.runs.length === 2);
});

test("without a network what is on its way says so, whatever the clock says", async () => {
  await device(draft("a", "kept", { createdMs: Date.now() + 86_400_000 }));
  void sending.send("a", { to: ["bob@here"], caption: null });
  await waits(() => sending.get("a") !== null);
  expect(sending.get("a")?.held).toBeNull();
  live.isOffline = true;
  expect(sending.get("a")?.held).toBe("offline");
});

test("what was typed for a take goes over to the one that takes its place", async () => {
  await device(draft("a", "kept"));
  drafts.moved("a", "b", { to: ["bob@here"], caption: "Hello" });
  expect([drafts.typed("b"), drafts.typed("a")]).toEqual([{ to: ["bob@here"], caption: "Hello" }, null]);
  await turn();
});

test("a house that is left lets go of everything that was on its way", async () => {
  await device(draft("a", "sending", { to: ["bob@here"] }));
  await waits(() => world.runs.length === 1);
  sending.close();
  expect([world.runs[0]?.options.signal?.aborted, sending.get("a"), world.discarded]).toEqual([true, null, []]);
});
