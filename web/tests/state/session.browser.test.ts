import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { NewAccount } from "../../src/crypto/service";
import { Choices } from "../../src/state/choices.svelte";
import { storeChange } from "../../src/state/keyring";
import { Keys } from "../../src/state/keys.svelte";
import { Session } from "../../src/state/session.svelte";
import { Verification } from "../../src/state/verification.svelte";
import { WaysIn } from "../../src/state/ways-in.svelte";
import { openDatabase } from "../../src/storage/db";
import { Api } from "../../src/transfer/http";
import { onceEach } from "./argon2_once";
import { FakeServer } from "./fake_server";
import { FakePasskeys } from "./fake_passkeys";
import { cryptoInProcess, type InProcess } from "./in_process";

vi.mock(import("../../src/crypto/argon2"), async (original) => onceEach(await original()));

const WORDS = "detonator reckless unaligned jackal";
const BY_WORDS = { account: "ann", secret: WORDS, way: "passphrase", keep: true } as const;

let server: FakeServer;
let made: NewAccount;
let name: string;
let number = 0;
let passkeys: FakePasskeys;
const sessions: Session[] = [];
const cryptos: InProcess[] = [];
const choices = new Choices("en", () => undefined);

/** A start of the app in this browser. */
async function started(): Promise<Session> {
  const startCrypto = () => {
    const one = cryptoInProcess();
    cryptos.push(one);
    return one.service;
  };
  const api = new Api({ fetch: server.fetch });
  const session = new Session({
    choices,
    api,
    startCrypto,
    liveFetch: server.fetch,
    passkeys,
    openDatabase: () => openDatabase(name),
  });
  sessions.push(session);
  await session.restore();
  return session;
}

const inside = ({ state }: Session): string => (state.kind === "inside" ? state.house.account.acct : state.kind);

beforeAll(async () => {
  const acct = "ann@post.example";
  made = await cryptoInProcess().service.makeAccount({ acct, passphrase: WORDS, nowMs: Date.now() });
});
beforeEach(() => {
  server = new FakeServer();
  passkeys = new FakePasskeys();
  name = `session-${number++}-${Date.now()}`;
  localStorage.clear();
  const { record, keyring, unlock } = made;
  const body = JSON.stringify({ name: "ann", record, keyring, unlock, client: "web" });
  return server.fetch("/api/v1/accounts", { method: "POST", body }).then(() => {
    server.signedIn = null;
    server.requests.length = 0;
  });
});
afterEach(() => {
  for (const session of sessions.splice(0)) session.close();
  cryptos.length = 0;
});

test("nobody is signed in at first", async () => {
  expect((await started()).state).toEqual({ kind: "outside", account: "", failure: null });
});

test("a passphrase opens the mailbox, and it stays open after a reload, without a network too", async () => {
  const session = await started();
  await session.signIn(BY_WORDS);
  expect([session.signInState, inside(session)]).toEqual([{ kind: "ready" }, "ann@post.example"]);
  await session.house?.catchUp();
  session.close();
  server.isCut = true;
  const later = await started();
  expect(inside(later)).toBe("ann@post.example");
  await later.house?.catchUp();
  expect(later.house?.people.state).toEqual({ kind: "offline" });
  expect(later.house?.isSignedOut).toBe(false);
});

test("so does the recovery code, and this browser becomes a device of the keyring", async () => {
  const session = await started();
  await session.signIn({ account: "ann", secret: made.recoveryCode.toLowerCase(), way: "recovery", keep: true });
  const view = await session.house?.crypto.account();
  expect([view?.devices.length, view?.rev]).toEqual([1, 2]);
});

test("on a device that is not one's own nothing stays after a reload", async () => {
  const session = await started();
  await session.signIn({ ...BY_WORDS, keep: false });
  expect((await session.house?.crypto.account())?.devices).toEqual([]);
  session.close();
  await new Promise((resolve) => setTimeout(resolve, 20)); // its lock is let go
  expect(inside(await started())).toBe("outside");
  const db = await openDatabase(name);
  expect([await db.count("keys"), await db.count("vault")]).toEqual([0, 0]);
  db.close();
});

test.each([
  [{ ...BY_WORDS, secret: "some other words, all wrong" }, "sign-in-refused"],
  [{ ...BY_WORDS, account: "bob" }, "sign-in-refused"],
  [{ ...BY_WORDS, way: "recovery", secret: "7KQ4" }, "recovery-code-malformed"],
] as const)("what does not open is told, and no keys are left: %j", async (entered, code) => {
  const session = await started();
  await session.signIn(entered);
  expect(session.signInState).toEqual({ kind: "failed", failure: { code } });
  expect([inside(session), cryptos.every((each) => each.isClosed)]).toEqual(["outside", true]);
});

test("without a network the sign-in says so", async () => {
  const session = await started();
  server.isCut = true;
  await session.signIn(BY_WORDS);
  expect(session.signInState).toEqual({ kind: "offline" });
});

test("a keyring that the account did not make is refused, and the session on the server is ended", async () => {
  const acct = "ann@post.example";
  const foreign = await cryptoInProcess().service.makeAccount({ acct, passphrase: WORDS, nowMs: Date.now() });
  server.accounts.set("ann", { records: [foreign.record], unlock: [...made.unlock] });
  const session = await started();
  await session.signIn(BY_WORDS);
  expect(session.signInState).toEqual({ kind: "failed", failure: { code: "keyring-forged" } });
  expect(server.signedIn).toBeNull();
});

test("signing out ends the session, takes this device out of the keyring, and forgets all but drafts", async () => {
  const session = await started();
  await session.signIn(BY_WORDS);
  const db = await openDatabase(name);
  await db.put("drafts", { id: "d", acct: "ann@post.example" } as never);
  await session.signOut();
  expect(session.state).toEqual({ kind: "outside", account: "ann", failure: null });
  expect([server.signedIn, cryptos.every((each) => each.isClosed)]).toEqual([null, true]);
  const left = await Promise.all((["keys", "vault", "drafts"] as const).map((store) => db.count(store)));
  expect(left).toEqual([0, 0, 1]);
  db.close();
  await session.signIn({ ...BY_WORDS, keep: false });
  expect((await session.house?.crypto.account())?.devices).toEqual([]);
});

test("signed out without a network, the session on the server is ended at the next start", async () => {
  const session = await started();
  await session.signIn(BY_WORDS);
  server.isCut = true;
  await session.signOut();
  expect([inside(session), server.signedIn]).toEqual(["outside", "ann"]);
  server.isCut = false;
  await started();
  await expect.poll(() => server.signedIn).toBeNull();
});

test("signing out everywhere takes every device out; without a network nothing changes", async () => {
  const session = await started();
  await session.signIn(BY_WORDS);
  server.isCut = true;
  await expect(session.signOutEverywhere()).rejects.toMatchObject({ code: "offline" });
  expect(inside(session)).toBe("ann@post.example");
  server.isCut = false;
  const house = session.house;
  if (!house) throw new Error("nobody is at home");
  for (const did of ["dev_0", "dev_zzz"]) {
    const identity = await house.crypto.newDeviceIdentity();
    await storeChange(house, { kind: "add-device", did, label: did, identity, nowMs: 1 });
  }
  server.isStale = true;
  const refused = session.signOutEverywhere();
  const asker = house.part(Verification);
  await expect.poll(() => asker.asking).not.toBeNull();
  asker.cancel();
  await expect(refused).rejects.toMatchObject({ code: "closed" });
  expect([inside(session), (await house.crypto.account()).devices.length]).toEqual(["ann@post.example", 3]);
  const leaving = session.signOutEverywhere();
  await expect.poll(() => asker.asking).not.toBeNull();
  await asker.bySecret(made.passphrase, "passphrase");
  await leaving;
  expect([inside(session), server.signedIn]).toEqual(["outside", null]);
  await session.signIn({ ...BY_WORDS, keep: false });
  expect((await session.house?.crypto.account())?.devices).toEqual([]);
});

test("a device that was taken out of the keyring is signed out when it hears of it", async () => {
  const session = await started();
  await session.signIn(BY_WORDS);
  session.close();
  const elsewhere = cryptoInProcess().service;
  const { passphrase } = made;
  const salt = made.unlock[0]?.salt ?? "";
  await elsewhere.takePassphrase(passphrase, salt);
  const stored = server.files.get("account/keyring")?.data ?? new Uint8Array();
  const view = await elsewhere.openKeyring({ sealed: stored, acct: "ann@post.example" });
  const { sealed } = await elsewhere.changeKeyring({ kind: "drop-device", did: view.devices[0]?.did ?? "" });
  server.put("account/keyring", sealed);
  const later = await started();
  await later.house?.catchUp();
  expect(later.house?.isSignedOut).toBe(true);
  await later.leaveEnded();
  expect(later.state).toEqual({ kind: "outside", account: "ann", failure: { code: "device-removed" } });
  expect([later.left, server.signedIn]).toEqual(["ann@post.example", null]);
});

test("a device that was removed is told so; one whose session has run out is not", async () => {
  for (const code of ["device-removed", "not-signed-in"]) {
    const session = await started();
    await session.signIn(BY_WORDS);
    server.isRemoved = code === "device-removed";
    server.signedIn = server.isRemoved ? server.signedIn : null;
    await session.leaveEnded();
    expect(session.state).toEqual({ kind: "outside", account: "ann", failure: { code } });
    server.isRemoved = false;
    await session.signIn(BY_WORDS);
    expect(session.left).toBeNull();
    await session.signOut();
  }
});

test("a session says which device it is, and one that is not to be kept that it is none", async () => {
  const session = await started();
  await session.signIn(BY_WORDS);
  const [device] = (await session.house?.crypto.account())?.devices ?? [];
  expect(server.introduced).toEqual({ label: device?.label, device: device?.did });
  await session.signOut();
  await session.signIn({ ...BY_WORDS, keep: false });
  expect(server.introduced).toEqual({ label: device?.label, device: null });
});

test("a session that the server has ended is noticed by the live channel", async () => {
  const session = await started();
  await session.signIn(BY_WORDS);
  session.close();
  server.signedIn = null;
  const later = await started();
  await expect.poll(() => later.house?.isSignedOut).toBe(true);
});

test("another tab follows a sign-in, and leaves with a sign-out", async () => {
  const one = await started();
  const other = await started();
  await one.signIn(BY_WORDS);
  await expect.poll(() => inside(other)).toBe("ann@post.example");
  await one.signOut();
  await expect.poll(() => other.house?.isSignedOut).toBe(true);
});

/** Adds a passkey to ann's account, from another device. */
async function withPasskey(kind: FakePasskeys["kind"]): Promise<void> {
  server.hasPasskeys = true;
  passkeys.kind = kind;
  const { credential } = await passkeys.create();
  const mid = "mth_aaaaaaaaaaaaaaaaaaaaaaaaae";
  const ways = server.accounts.get("ann")?.unlock;
  ways?.push({ type: "passkey", credential, mid, label: "phone" });
  if (kind !== "prf") return;
  const elsewhere = cryptoInProcess().service;
  await elsewhere.takePassphrase(made.passphrase, made.unlock[0]?.salt ?? "");
  const sealed = server.files.get("account/keyring")?.data ?? new Uint8Array();
  await elsewhere.openKeyring({ sealed, acct: "ann@post.example" });
  for (const prf of await passkeys.again()) await elsewhere.offerPrf(prf ?? new Uint8Array());
  const change = { kind: "add-passkey", mid, label: "phone", nowMs: Date.now() } as const;
  server.put("account/keyring", (await elsewhere.changeKeyring(change)).sealed);
}

test("a passkey signs in and unlocks, without a name", async () => {
  await withPasskey("prf");
  const session = await started();
  expect(await session.offersPasskeys()).toBe(true);
  await session.signInByPasskey(true);
  expect([session.signInState, inside(session)]).toEqual([{ kind: "ready" }, "ann@post.example"]);
  expect(session.house?.cameByCode).toBe(false);
});

test("a passkey that does not unlock leaves the mailbox locked, until the passphrase or the code opens it", async () => {
  await withPasskey("plain");
  const session = await started();
  await session.signInByPasskey(true);
  expect(session.signInState).toEqual({ kind: "locked", account: "ann", working: false, failure: null });
  await session.unlock({ secret: "some other words, all wrong", way: "passphrase" });
  expect(session.signInState).toMatchObject({ kind: "locked", failure: { code: "sign-in-refused" } });
  await session.unlock({ secret: made.recoveryCode, way: "recovery" });
  expect([session.signInState, inside(session)]).toEqual([{ kind: "ready" }, "ann@post.example"]);
  expect(session.house?.cameByCode).toBe(true);
});

test("who gives up what stayed locked leaves no session on the server", async () => {
  await withPasskey("plain");
  const session = await started();
  await session.signInByPasskey(true);
  expect(server.signedIn).toBe("ann");
  await session.giveUp();
  expect([session.signInState, server.signedIn]).toEqual([{ kind: "ready" }, null]);
  expect(cryptos.every((each) => each.isClosed)).toBe(true);
});

test("who turns away from the touch stays outside", async () => {
  await withPasskey("prf");
  passkeys.refusals = ["passkey-cancelled"];
  const session = await started();
  await session.signInByPasskey(true);
  expect(session.signInState).toEqual({ kind: "failed", failure: { code: "passkey-cancelled" } });
  expect(server.requests).not.toContain("POST /api/v1/sign-in/passkey");
});

test("a passkey that the browser offers beside the name signs in when it is chosen", async () => {
  await withPasskey("prf");
  passkeys.areOffered = true;
  const session = await started();
  session.awaitPasskey(() => true);
  await expect.poll(() => passkeys.choose !== null).toBe(true);
  expect(session.signInState).toEqual({ kind: "ready" });
  passkeys.choose?.();
  await expect.poll(() => inside(session)).toBe("ann@post.example");
  expect(session.signInState).toEqual({ kind: "ready" });
});

test("what the browser offers ends with any other way in, and with the screen", async () => {
  await withPasskey("prf");
  passkeys.areOffered = true;
  const session = await started();
  const stop = session.awaitPasskey(() => true);
  await expect.poll(() => passkeys.choose !== null).toBe(true);
  stop();
  await expect.poll(() => passkeys.choose).toBe(null);
  session.awaitPasskey(() => true);
  await expect.poll(() => passkeys.choose !== null).toBe(true);
  const before = passkeys.touches;
  await session.signInByPasskey(true);
  expect([passkeys.choose, passkeys.touches - before, inside(session)]).toEqual([null, 1, "ann@post.example"]);
  await session.signOut();
  session.awaitPasskey(() => true);
  await expect.poll(() => passkeys.choose !== null).toBe(true);
  await session.signIn(BY_WORDS);
  expect([passkeys.choose, inside(session)]).toEqual([null, "ann@post.example"]);
});

test("nothing is offered where the browser cannot", async () => {
  await withPasskey("prf");
  const session = await started();
  session.awaitPasskey(() => true);
  await session.signIn(BY_WORDS);
  expect(server.requests).not.toContain("POST /api/v1/passkeys/assertion");
});

test("a passkey that another device's change came before is added all the same, without another touch", async () => {
  server.hasPasskeys = true;
  const session = await started();
  await session.signIn(BY_WORDS);
  const { house } = session;
  if (!house) throw new Error("outside");
  const other = await started();
  await expect.poll(() => inside(other)).toBe("ann@post.example");
  const tools = other.house;
  if (!tools) throw new Error("outside");
  const work = async () => {
    const { methods } = await tools.crypto.account();
    await storeChange(tools, { kind: "rename-method", mid: methods[0]?.mid ?? "", label: "from elsewhere" });
  };
  server.before = { request: "POST /api/v1/account/ways-in/passkeys", work };
  const ways = house.part(WaysIn);
  await ways.look();
  await ways.addPasskey();
  expect([ways.failure, ways.told, passkeys.touches, passkeys.disowned]).toEqual([null, "added", 1, []]);
  const labels = (await house.crypto.account()).methods.map(({ label }) => label);
  expect(labels).toContain("from elsewhere");
  expect(labels).toHaveLength(3);
});

test("a new signing key comes with a new state key, and another device comes along with what it knew", async () => {
  const one = await started();
  await one.signIn(BY_WORDS);
  const here = name;
  name = `${here}-elsewhere`;
  const other = await started();
  await other.signIn(BY_WORDS);
  const [mine, theirs] = [one.house, other.house];
  if (!mine || !theirs) throw new Error("outside");
  await mine.settings.choose({ beep: false });
  await mine.shards.save();
  await theirs.settings.refresh();
  const old = cryptoInProcess().service;
  await old.importKeyring(await theirs.crypto.exportKeyring());
  const keys = mine.part(Keys);
  await keys.rotateSigning();
  expect([keys.failure, keys.told]).toEqual([null, "signing"]);
  expect((await mine.crypto.account()).formerStates).toEqual([]);
  const sealed = () => server.files.get("account/state/settings")?.data ?? new Uint8Array();
  const opened = (by: typeof old) => by.takeShard("settings", sealed(), { server: true, highestRev: 0 });
  await expect(opened(old)).rejects.toMatchObject({ code: "shard-damaged" });
  await theirs.settings.choose({ countdown: false }); // with the old key, before it heard of the new one
  await theirs.shards.save();
  await expect(opened(old)).rejects.toMatchObject({ code: "shard-damaged" });
  await mine.settings.refresh();
  expect(await mine.crypto.settings()).toMatchObject({ beep: false, countdown: false });
  expect((await theirs.crypto.account()).sign).toBe((await mine.crypto.account()).sign);
  other.close();
  server.isCut = true; // what it keeps is sealed to keys that it has
  const later = await started();
  expect(inside(later)).toBe("ann@post.example");
  expect(await later.house?.crypto.settings()).toMatchObject({ beep: false, countdown: false });
});

test("a new state key that was interrupted is finished by whichever device comes next", async () => {
  const one = await started();
  await one.signIn(BY_WORDS);
  const { house } = one;
  if (!house) throw new Error("outside");
  await house.catchUp(); // that of the first connection
  await house.settings.choose({ beep: false });
  await house.shards.save();
  const broken = { request: "PUT /api/v1/account/state/settings", work: () => Promise.reject(new TypeError("cut")) };
  server.before = broken;
  await house.part(Keys).rotateSigning();
  expect((await house.crypto.account()).formerStates).toHaveLength(1);
  expect(await house.crypto.settings()).toMatchObject({ beep: false });
  await house.catchUp();
  expect((await house.crypto.account()).formerStates).toEqual([]);
  const fresh = cryptoInProcess().service;
  await fresh.importKeyring(await house.crypto.exportKeyring());
  const sealed = server.files.get("account/state/settings")?.data ?? new Uint8Array();
  expect(await fresh.takeShard("settings", sealed, { server: true, highestRev: 0 })).toBeGreaterThan(0);
});

test("a record under one's own name that is not one's own is told", async () => {
  const session = await started();
  await session.signIn(BY_WORDS);
  const { house } = session;
  await house?.catchUp();
  expect([house?.warning, (house?.memory.watchedMs ?? 0) > 0]).toEqual([null, true]);
  const stranger = await cryptoInProcess().service.makeAccount({
    acct: "ann@post.example",
    passphrase: WORDS,
    nowMs: 1,
  });
  const ann = server.accounts.get("ann");
  if (ann) ann.records = [stranger.record];
  await house?.catchUp();
  expect(house?.warning).toBeNull(); // once a day is enough
  await house?.memory.note({ watchedMs: 0 });
  await house?.catchUp();
  expect(house?.warning).toEqual({ code: "log-stranger" });
});

test("a change that the server asks about is made when its person has shown who they are", async () => {
  const session = await started();
  await session.signIn(BY_WORDS);
  const { house } = session;
  if (!house) throw new Error("outside");
  const ways = house.part(WaysIn);
  await ways.look();
  server.isStale = true;
  const verification = house.part(Verification);
  const changing = ways.setPassphrase({ passphrase: "another six words that are long", own: false });
  await expect.poll(() => verification.asking?.failure).toBeNull();
  await verification.bySecret("not these words at all", "passphrase");
  expect(verification.asking?.failure).toEqual({ code: "sign-in-refused" });
  await verification.bySecret(WORDS, "passphrase");
  await changing;
  expect([ways.failure, ways.told, verification.asking]).toEqual([null, "words", null]);
  server.isStale = true;
  const adding = ways.setPassphrase({ passphrase: "yet another six words, long", own: false });
  await expect.poll(() => verification.asking !== null).toBe(true);
  verification.cancel();
  await adding;
  expect([ways.failure, ways.told, ways.working]).toEqual([null, null, false]);
});

test("a passkey is added, named and removed; the last way in for every day stays", async () => {
  server.hasPasskeys = true;
  const session = await started();
  await session.signIn(BY_WORDS);
  const ways = session.house?.part(WaysIn);
  if (!ways) throw new Error("outside");
  await ways.look();
  passkeys.kind = "once";
  passkeys.refusals = ["", "passkey-cancelled"];
  await ways.addPasskey();
  expect([ways.again, ways.failure]).toEqual([true, { code: "passkey-cancelled" }]);
  await ways.addPasskey();
  expect([ways.again, ways.failure, ways.told]).toEqual([false, null, "added"]);
  const added = () => (ways.state.kind === "ready" ? ways.state.list : []).find(({ type }) => type === "passkey");
  expect(added()).toMatchObject({ opens: true });
  await ways.rename(added()?.id ?? "", "My phone");
  expect(added()?.label).toBe("My phone");
  await ways.remove("passphrase");
  expect([ways.failure, ways.told]).toEqual([null, "removed"]);
  await ways.remove(added()?.id ?? "");
  expect(ways.failure).toEqual({ code: "last-way-in" });
  expect(added()?.label).toBe("My phone");
});
