import { deleteDB } from "idb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { utf8 } from "../../src/protocol/encoding";
import { newId } from "../../src/protocol/ids";
import { openDatabase, type Database } from "../../src/storage/db";
import { Drafts, type Draft } from "../../src/storage/drafts";
import { LocalIndex } from "../../src/storage/index";
import { accountsHere, DeviceVault, forgetAccount } from "../../src/storage/keys";
import { heldDrafts, holding } from "../../src/storage/ownership";

const SECRET = "AGE-SECRET-KEY-1QQQSECRET";
let db: Database;

beforeEach(async () => {
  db = await openDatabase(`test-${newId("msg")}`);
});

afterEach(async () => {
  db.close();
  await deleteDB(db.name);
});

async function made(acct = "ann@here"): Promise<Draft> {
  return new Drafts(db).make({ id: newId("msg"), acct, createdMs: 1, messageKey: SECRET });
}

/** Everything in the database that is text or bytes, as a program that reads the browser's files would see it. */
async function inClear(): Promise<string> {
  const seen: string[] = [];
  const walk = (value: unknown): void => {
    if (value instanceof Uint8Array) seen.push(new TextDecoder("latin1").decode(value));
    else if (value instanceof CryptoKey) expect(value.extractable).toBe(false);
    else if (typeof value === "object" && value !== null) Object.values(value).forEach(walk);
    else seen.push(String(value));
  };
  for (const store of ["keys", "vault", "index", "posters", "drafts", "kept", "parts"] as const)
    walk(await db.getAll(store));
  return seen.join("\n");
}

describe("a draft", () => {
  test("is read as it was made and changed, by another connection too", async () => {
    const draft = await made();
    await new Drafts(db).change(draft.id, () => ({ wish: { to: ["grace"], caption: "Hello" } }));
    const other = await openDatabase(db.name);
    const read = await new Drafts(other).get(draft.id);
    other.close();
    expect(read.content).toMatchObject({ messageKey: SECRET, wish: { to: ["grace"], caption: "Hello" }, video: null });
  });

  test("shows neither its key nor its words in clear, and its own key cannot be taken out", async () => {
    const draft = await made();
    await new Drafts(db).change(draft.id, () => ({ wish: { to: ["grace"], caption: "our secret" } }));
    const clear = await inClear();
    expect(clear).toContain(draft.id);
    for (const secret of [SECRET, "grace", "our secret"]) expect(clear).not.toContain(secret);
    await expect(crypto.subtle.exportKey("raw", draft.key)).rejects.toThrow();
  });

  test("changed from two sides at a time keeps both changes", async () => {
    const draft = await made();
    const drafts = new Drafts(db);
    const marks = Array.from({ length: 12 }, (_, at) => ({ id: `upl_${at}`, capability: "c" }));
    await Promise.all(
      marks.map((mark) => drafts.change(draft.id, (content) => ({ abandoned: [...content.abandoned, mark] }))),
    );
    expect((await drafts.get(draft.id)).content.abandoned).toHaveLength(marks.length);
  });

  test("of another account is not listed, and one that cannot be opened hides no other", async () => {
    const mine = await made();
    const broken = await made();
    await made("eve@here");
    const row = await db.get("drafts", broken.id);
    if (row) await db.put("drafts", { ...row, sealed: { ...row.sealed, data: new Uint8Array(40) } });
    expect((await new Drafts(db).all("ann@here")).map((draft) => draft.id)).toEqual([mine.id]);
    await expect(new Drafts(db).get(broken.id)).rejects.toMatchObject({ code: "sealed-elsewhere" });
  });

  test("put in another's place cannot be opened", async () => {
    const [one, other] = [await made(), await made()];
    const row = await db.get("drafts", one.id);
    const place = await db.get("drafts", other.id);
    if (row && place) await db.put("drafts", { ...place, key: row.key, sealed: row.sealed });
    await expect(new Drafts(db).get(other.id)).rejects.toMatchObject({ code: "sealed-elsewhere" });
  });

  test("that was removed is not on this device", async () => {
    const draft = await made();
    await new Drafts(db).remove(draft.id);
    await expect(new Drafts(db).get(draft.id)).rejects.toMatchObject({ code: "not-on-this-device" });
    await expect(new Drafts(db).change(draft.id, () => ({}))).rejects.toMatchObject({ code: "not-on-this-device" });
  });

  test("is held by one at a time, and free when its holder is done", async () => {
    const id = newId("msg");
    await holding(id, async () => {
      expect(await heldDrafts()).toContain(id);
      await expect(holding(id, () => Promise.resolve())).rejects.toMatchObject({ code: "busy" });
    });
    expect(await heldDrafts()).not.toContain(id);
    expect(await holding(id, () => Promise.resolve(7))).toBe(7);
  });
});

describe("a trusted device", () => {
  test("keeps the keyring sealed, one account apart from the other", async () => {
    const ann = await DeviceVault.open("ann@here", db);
    await ann.keepKeyring(utf8(SECRET));
    const again = await DeviceVault.open("ann@here", db);
    expect(await again.recallKeyring()).toEqual(utf8(SECRET));
    expect(await (await DeviceVault.open("eve@here", db)).recallKeyring()).toBeNull();
    expect(await inClear()).not.toContain(SECRET);
    expect(await accountsHere(db)).toEqual(["ann@here", "eve@here"]);
  });

  test("opened by two tabs at the same time has one key", async () => {
    const vaults = await Promise.all([1, 2, 3, 4].map(() => DeviceVault.open("ann@here", db)));
    await vaults[0]?.keep("pins", utf8("pins"));
    for (const vault of vaults) expect(await vault.recall("pins")).toEqual(utf8("pins"));
  });

  test("that forgets an account keeps its drafts and nothing else", async () => {
    const draft = await made();
    const vault = await DeviceVault.open("ann@here", db);
    const index = new LocalIndex<{ id: string }>(vault, "inbox");
    await vault.keepKeyring(utf8(SECRET));
    await index.change({ put: [{ id: "msg_a" }] });
    await index.putPoster("msg_a", utf8("poster"));
    await forgetAccount(db, "ann@here");
    const fresh = await DeviceVault.open("ann@here", db);
    expect(await fresh.recallKeyring()).toBeNull();
    expect(await listed(new LocalIndex(fresh, "inbox"))).toEqual([]);
    expect((await new Drafts(db).get(draft.id)).content.messageKey).toBe(SECRET);
  });
});

async function listed<E extends { id: string }>(index: LocalIndex<E>): Promise<E[]> {
  const entries: E[] = [];
  for await (const some of index.all()) entries.push(...some);
  return entries;
}

describe("the local index", () => {
  test("gives thousands some at a time, those that were noted first before them, and skips what is gone", async () => {
    const index = new LocalIndex<{ id: string }>(await DeviceVault.open("ann@here", db), "inbox");
    const entries = Array.from({ length: 1_234 }, () => ({ id: newId("msg") }));
    expect(await index.first()).toEqual([]);
    await index.change({ put: entries, since: 3 });
    const [one, two, three] = entries.map(({ id }) => id);
    await index.noteFirst([one, two, three] as string[]);
    await index.change({ remove: [two as string] });
    expect(await index.first()).toEqual([{ id: one }, { id: three }]);
    const ids = (await listed(index)).map(({ id }) => id);
    expect(new Set(ids)).toEqual(new Set(entries.map(({ id }) => id).filter((id) => id !== two)));
    expect(ids).toHaveLength(entries.length - 1);
    expect(await index.since()).toBe(3);
  });

  test("gives back what was stored, without what was removed, and how far the box was read", async () => {
    const index = new LocalIndex<{ id: string; caption: string }>(await DeviceVault.open("ann@here", db), "inbox");
    const sent = new LocalIndex<{ id: string; caption: string }>(await DeviceVault.open("ann@here", db), "sent");
    expect(await index.since()).toBeNull();
    const entries = ["a", "b"].map((id) => ({ id: `msg_${id}`, caption: "our secret" }));
    await index.change({ put: entries, since: 7 });
    await sent.change({ put: [{ id: "msg_c", caption: "" }] });
    await index.change({ remove: ["msg_a"], since: 9 });
    expect(await listed(index)).toEqual([entries[1]]);
    expect(await index.since()).toBe(9);
    expect(await listed(sent)).toHaveLength(1);
    expect(await inClear()).not.toContain("our secret");
    await index.clear();
    expect([await listed(index), await index.since(), await listed(sent)]).toMatchObject([[], null, [{ id: "msg_c" }]]);
  });

  test("keeps posters apart, and drops one with its message", async () => {
    const index = new LocalIndex<{ id: string }>(await DeviceVault.open("ann@here", db), "inbox");
    await index.change({ put: [{ id: "msg_a" }] });
    await index.putPoster("msg_a", utf8("poster"));
    expect(await index.poster("msg_a")).toEqual(utf8("poster"));
    await index.change({ remove: ["msg_a"] });
    expect(await index.poster("msg_a")).toBeNull();
  });
});
