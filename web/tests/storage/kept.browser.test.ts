import { deleteDB } from "idb";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { equalBytes } from "../../src/protocol/encoding";
import { newId } from "../../src/protocol/ids";
import { PART_BYTES } from "../../src/protocol/limits";
import { openDatabase, type Database } from "../../src/storage/db";
import { KeptVideos } from "../../src/storage/kept";
import { forgetAccount } from "../../src/storage/keys";

const SIZE = PART_BYTES * 2 + 100;
let db: Database;
let kept: KeptVideos;

beforeEach(async () => {
  db = await openDatabase(`test-${newId("msg")}`);
  kept = new KeptVideos({ db, acct: "ann@here" });
});
afterEach(async () => {
  vi.restoreAllMocks();
  db.close();
  await deleteDB(db.name);
});

const part = (fill: number, size = PART_BYTES) => new Uint8Array(size).fill(fill);

/** Keeps all of a video. */
async function keep(id: string, usedMs: number): Promise<void> {
  expect(await kept.admit(id, SIZE, usedMs)).toBe(true);
  for (let number = 0; number < 3; number++) await kept.put(id, number, part(number, number < 2 ? PART_BYTES : 100));
}

test("a video is here when its last part is, in any order, and each part once", async () => {
  await kept.admit("a", SIZE, 1);
  expect(await kept.put("a", 2, part(2, 100))).toBe(false);
  expect(await kept.put("a", 2, part(2, 100))).toBe(false);
  expect(await kept.put("a", 0, part(0))).toBe(false);
  expect(await kept.whole()).toEqual(new Set());
  expect(await kept.put("a", 1, part(1))).toBe(true);
  expect(await kept.whole()).toEqual(new Set(["a"]));
  expect(equalBytes((await kept.part("a", 1)) ?? part(0), part(1))).toBe(true);
  expect(await kept.part("b", 1)).toBeNull();
});

test("what was not admitted is not kept", async () => {
  expect(await kept.put("a", 0, part(0))).toBe(false);
  expect(await kept.part("a", 0)).toBeNull();
});

test("those watched longest ago make room, the one in use last", async () => {
  vi.spyOn(navigator.storage, "estimate").mockResolvedValue({ quota: SIZE * 8, usage: 0 });
  await keep("old", 1);
  await keep("older", 0);
  await kept.admit("older", SIZE, 5); // watched again
  vi.spyOn(navigator.storage, "estimate").mockResolvedValue({ quota: SIZE * 8, usage: SIZE * 2 });
  await keep("new", 9);
  expect(await kept.whole()).toEqual(new Set(["older", "new"]));
  expect(await kept.part("old", 0)).toBeNull();
});

test("a video too large for this device is played and not kept", async () => {
  vi.spyOn(navigator.storage, "estimate").mockResolvedValue({ quota: SIZE * 3, usage: 0 });
  expect(await kept.admit("a", SIZE, 1)).toBe(false);
  expect(await kept.whole()).toEqual(new Set());
});

test("what left the list is dropped; an account that is forgotten leaves nothing", async () => {
  await keep("a", 1);
  await keep("b", 2);
  await kept.keepOnly(new Set(["b"]));
  expect(await kept.whole()).toEqual(new Set(["b"]));
  await forgetAccount(db, "ann@here");
  expect([await db.count("kept"), await db.count("parts")]).toEqual([0, 0]);
});
