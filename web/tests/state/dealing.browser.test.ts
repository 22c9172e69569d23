// What an owner does with what was received: told to its sender or not, kept, archived, passed on, reported, watched once.

import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { readContainer } from "../../src/crypto/container";
import { unb64 } from "../../src/protocol/encoding";
import { Forwarding } from "../../src/state/forwarding.svelte";
import { GroupsState } from "../../src/state/groups.svelte";
import { InboxState } from "../../src/state/inbox.svelte";
import { onceLock } from "../../src/state/letters";
import { Reporting } from "../../src/state/reporting.svelte";
import { Shelf } from "../../src/state/shelf.svelte";
import { UNDO_MS } from "../../src/state/undo";
import { Notes } from "../../src/storage/notes";
import { DeviceVault, forgetAccount } from "../../src/storage/keys";
import { openDatabase } from "../../src/storage/db";
import { correspondent, homeOf, letterOf, MailServer, type Correspondent, type Home } from "./mail";

let [ann, bob, cat]: (Correspondent | undefined)[] = [];
let count = 0;
let server: MailServer;
let home: Home;
let database: string;
const open: { close(): void }[] = [];

const known = (who: Correspondent | undefined): Correspondent => {
  if (!who) throw new TypeError("not made yet");
  return who;
};
const letter = async (caption: string, terms = {}) => letterOf(known(bob), known(ann), caption, terms);
const waits = async (condition: () => boolean) => vi.waitUntil(condition, { timeout: 5000, interval: 5 });
const pause = async (ms = 50) => new Promise((resolve) => setTimeout(resolve, ms));
const closing = <T extends { close(): void }>(made: T): T => (open.push(made), made);

async function inbox(at = home): Promise<InboxState> {
  const made = closing(new InboxState(at.house));
  await made.loaded;
  return made;
}

/** The inbox with one letter, which its server has heard of. */
async function withLetter(caption: string, terms = {}) {
  const message = await letter(caption, terms);
  server.deliver(message);
  const state = await inbox();
  await waits(() => server.marks.length > 0 && state.phase.kind === "ready");
  return { state, id: message.id, message };
}

beforeAll(async () => {
  [ann, bob, cat] = await Promise.all(["ann", "bob", "cat"].map(correspondent));
});
beforeEach(async () => {
  server = new MailServer(known(ann), [known(bob), known(cat)]);
  database = `dealing-${++count}-${Date.now()}`;
  home = await homeOf(known(ann), server, database);
});
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

test("who signs receipts sends what the sender can check; a sender whose message it is not takes it for wrong", async () => {
  home.house.settings.receipts = "signed";
  const { id, message, state } = await withLetter("Hello");
  await state.played(id);
  const kinds = ["delivered", "played"] as const;
  expect(server.markBodies.map(({ mark, tell }) => [mark, tell])).toEqual([["fetched", true], ["played", true]]); // prettier-ignore
  const { details_sha256: details } = JSON.parse(message.message) as { details_sha256: string };
  const sent = { id, details, sentTo: [known(ann).acct] };
  const { crypto } = known(bob);
  await crypto.meet(known(ann).acct, [unb64(known(ann).record)], null, Date.now());
  const given = server.markBodies.map(({ receipt }, at) => ({
    by: known(ann).acct,
    kind: kinds[at] ?? "played",
    raw: receipt ?? "",
  }));
  expect((await crypto.checkReceipts(sent, given, Date.now())).map(({ code }) => code)).toEqual([null, null]);
  const swapped = await crypto.checkReceipts({ ...sent, details: "x" }, given, Date.now());
  expect(swapped.map(({ code }) => code)).toEqual(["receipt-of-other", "receipt-of-other"]);
});

test("who tells nobody marks it for the other devices only; without a choice nothing is signed", async () => {
  home.house.settings.receipts = "off";
  const { state, id } = await withLetter("Hush");
  await state.played(id);
  expect(server.markBodies.map(({ tell, receipt }) => [tell, receipt])).toEqual([[false, null], [false, null]]); // prettier-ignore
  home.house.settings.receipts = "plain";
  server.deliver(await letter("Another"));
  state.refresh();
  await waits(() => server.markBodies.length === 3);
  expect(server.markBodies[2]).toEqual({ mark: "fetched", tell: true, receipt: null });
});

test("a message is kept and archived on every device; what waits in the archive is not counted", async () => {
  const { state, id } = await withLetter("Keep me");
  expect(home.house.waiting).toBe(1);
  const shelf = home.house.part(Shelf);
  const [found] = state.letters;
  if (!found) throw new TypeError("no letter");
  await shelf.mark(found, { kept: true });
  await shelf.mark(found, { archived: true });
  expect([shelf.isKept(id), shelf.isArchived(id), home.house.waiting]).toEqual([true, true, 0]);
  await home.house.shards.save();
  const month = new Date(found.content?.createdMs ?? 0).toISOString().slice(0, 7);
  expect([...server.files.keys()]).toContain(`account/state/kept-${month}`);
  server.isCut = true;
  const later = await homeOf(known(ann), server, database);
  const again = closing(new Shelf(later.house));
  await again.attend([found]);
  await waits(() => again.isKept(id));
  await again.mark(found, { archived: false });
  expect(again.isArchived(id)).toBe(false);
});

test("what somebody wrote who is blocked now is not counted, and counts again when they are let in", async () => {
  await withLetter("Hello");
  const { people } = home.house;
  await waits(() => home.house.waiting === 1);
  await people.block("bob");
  await waits(() => home.house.waiting === 0);
  await people.unblock("bob");
  await waits(() => home.house.waiting === 1);
});

test("a report discloses the container of this message, with its key, and the words that go with it", async () => {
  const { id } = await withLetter("Buy my watches");
  const reporting = new Reporting(home.house);
  expect(await reporting.report(id, "spam", "  The third today ")).toBe(true);
  expect(reporting.phase).toEqual({ kind: "done", contact: "abuse@post.example" });
  const { container = "", ...said } = server.reports[0] ?? {};
  expect(said).toEqual({ message: id, reason: "spam", note: "The third today" });
  const box = readContainer(unb64(container), "envelope", 16_384);
  expect(new TextDecoder().decode(box.payload)).toMatch(/AGE-SECRET-KEY-1/);
  server.isCut = true;
  expect(await reporting.report(id, "spam", "")).toBe(false);
  expect(reporting.phase).toEqual({ kind: "failed", failure: { code: "offline" } });
});

test("what may be passed on is sealed for each; what may not is refused here already", async () => {
  const { state, id } = await withLetter("Look at this", { mayForward: true });
  const [found] = state.letters;
  expect(found && Forwarding.allows(found)).toBe(true);
  const forwarding = new Forwarding(home.house);
  await forwarding.send(id, [known(cat).acct]);
  expect(forwarding.phase).toEqual({ kind: "done", to: [known(cat).acct] });
  expect(Object.keys(server.forwards[0] ?? {})).toEqual(["cat"]);
  const secret = await letter("Only for you");
  server.deliver(secret);
  state.refresh();
  await waits(() => state.letters.length === 2);
  await forwarding.send(secret.id, [known(cat).acct]);
  expect(forwarding.phase).toEqual({ kind: "failed", failure: { code: "forward-not-allowed" } });
  expect(server.forwards).toHaveLength(1);
});

test("a video to be watched once goes when it is left, also when the page was killed while it played", async () => {
  const { state, id } = await withLetter("Once", { once: true });
  const [found] = state.letters;
  expect(found && Forwarding.allows(found)).toBe(false);
  let left = (): void => undefined;
  const showing = new Promise<void>((resolve) => (left = resolve));
  const shown = navigator.locks.request(onceLock(id), { mode: "shared" }, () => showing);
  state.watched = id;
  await state.played(id);
  expect(state.letters.map((each) => each.id)).toEqual([id]);
  const elsewhere = await inbox();
  expect(elsewhere.letters).toEqual([]);
  await waits(() => elsewhere.phase.kind === "ready");
  await pause();
  expect(server.deletions).toEqual([]);
  left();
  await shown;
  state.close();
  const next = await inbox();
  await waits(() => server.deletions.length > 0);
  expect([next.letters, next.deleted, server.deletions]).toEqual([[], null, [id]]);
});

test("on another device it is not shown again, and left to the one that showed it", async () => {
  server.deliver(await letter("Once", { once: true }), { fetched_at: 1, played_at: 2 });
  const state = await inbox();
  await waits(() => state.phase.kind === "ready");
  await pause();
  expect([state.letters, server.deletions]).toEqual([[], []]);
});

test("a block that the server did not hear is told at the next connection, once", async () => {
  await withLetter("Hello");
  server.isCut = true;
  const { people } = home.house;
  await people.block("bob");
  expect([people.standing(known(bob).acct), server.acquaintances]).toEqual(["blocked", []]);
  server.isCut = false;
  const later = await homeOf(known(ann), server, database);
  await later.house.people.settle();
  await later.house.people.settle();
  expect(server.acquaintances).toEqual(["bob blocked"]);
});

test("a request is decided: accepted ones are known, blocked ones can be let in again", async () => {
  const dan = await correspondent("dan");
  server.accounts.set("dan", { records: [dan.record], unlock: [] });
  server.deliver(await letterOf(dan, known(ann), "You do not know me"), { sender: "dan" });
  const state = await inbox();
  await waits(() => state.phase.kind === "ready");
  const { people } = home.house;
  const { acct } = dan;
  expect(people.standing(acct)).toBe("request");
  await people.meetRecipient(acct); // somebody who is written to is accepted
  expect(people.standing(acct)).toBe("known");
  await people.block("dan");
  expect(people.list.map(({ account }) => account)).not.toContain("dan");
  await people.unblock("dan");
  expect(people.standing(acct)).toBe("known");
  expect(server.acquaintances).toEqual(["dan accepted", "dan blocked", "dan unknown"]);
});

test("a group is made, changed, given up, brought back, and the same on another device", async () => {
  const groups = closing(new GroupsState(home.house));
  await waits(() => groups.isLooked);
  const id = await groups.make(" Family ");
  await expect(groups.make("Family")).rejects.toMatchObject({ code: "group-name-taken" });
  await expect(groups.make("  ")).rejects.toMatchObject({ code: "group-name-empty" });
  await expect(groups.rename(id, "x".repeat(65))).rejects.toMatchObject({ code: "group-name-too-long" });
  await groups.set(id, known(bob).acct, true);
  await groups.set(id, known(cat).acct, true);
  await groups.set(id, known(cat).acct, false);
  await groups.rename(id, "Relatives");
  expect(groups.all).toEqual([{ id, name: "Relatives", members: [known(bob).acct] }]);
  await groups.delete(id);
  expect([groups.all, groups.deleted?.name]).toEqual([[], "Relatives"]);
  await groups.undo();
  await home.house.shards.save();
  const elsewhere = await homeOf(known(ann), server, `${database}-b`);
  const there = closing(new GroupsState(elsewhere.house));
  expect(await there.membersOf(id)).toEqual([known(bob).acct]);
  for (let at = 0; at < 49; at++) await groups.set(id, `p${at}x@post.example`, true);
  await expect(groups.set(id, "one-more@post.example", true)).rejects.toMatchObject({ code: "group-full" });
  expect(UNDO_MS).toBe(10_000);
});

test("words on their way outlive a sign-out; nothing else does", async () => {
  const { vault } = home.house;
  const note = { id: "msg_x", kind: "text", to: known(bob).acct, text: "Later", replyTo: null } as const;
  await vault.keep("memory", new Uint8Array([1]));
  await new Notes(vault).keep({ ...note, createdMs: 1, messageKey: "", request: null });
  const db = await openDatabase(database);
  await forgetAccount(db, vault.acct);
  const back = await DeviceVault.open(vault.acct, db);
  expect((await new Notes(back).all()).map(({ text }) => text)).toEqual(["Later"]);
  expect(await back.recall("memory")).toBeNull();
  await forgetAccount(db, vault.acct, true);
  expect(await db.getAllKeys("keys")).toEqual([]);
});
