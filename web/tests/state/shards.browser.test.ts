import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { CryptoService } from "../../src/crypto/service";
import { utf8 } from "../../src/protocol/encoding";
import { openDatabase } from "../../src/storage/db";
import { DeviceVault, forgetAccount } from "../../src/storage/keys";
import { KeyLog } from "../../src/state/key-log";
import { Memory } from "../../src/state/memory";
import { People } from "../../src/state/people.svelte";
import { ShardStore } from "../../src/state/shards";
import { Api } from "../../src/transfer/http";
import { FakeServer } from "./fake_server";
import { cryptoInProcess } from "./in_process";

const ANN = "ann@post.example";
const NOW = Date.now();
const CONTACTS = "account/state/contacts";

let server: FakeServer;
let keyring: Uint8Array;
const records = new Map<string, string[]>();
interface Device {
  crypto: CryptoService;
  vault: DeviceVault;
  shards: ShardStore;
  people: People;
}
const devices: Device[] = [];

/** A browser of Ann's: the same keyring, a vault of its own. */
async function device(name: string): Promise<Device> {
  const crypto = cryptoInProcess().service;
  const vault = await DeviceVault.open(ANN, await openDatabase(`test-${name}-${NOW}`));
  const memory = await Memory.recall(vault);
  const api = new Api({ fetch: server.fetch });
  const shards = new ShardStore({ api, crypto, vault, memory, takeNewKeyring: () => Promise.resolve(false) });
  const account = { acct: ANN };
  const people = new People({ api, crypto, shards, vault, account, log: new KeyLog({ api, vault, account }) });
  const opened = { crypto, vault, shards, people };
  devices.push(opened);
  return opened;
}

async function annWithTwoDevices(): Promise<[Device, Device]> {
  const [one, other] = [await device("one"), await device("other")];
  for (const { crypto } of [one, other]) await crypto.importKeyring(keyring);
  return [one, other];
}

/** Opens a mailbox; of a name that has one already, somebody else's. */
function somebody(name: "bob" | "mina"): void {
  const [first, second] = records.get(name) ?? [];
  const record = server.accounts.has(name) ? second : first;
  server.accounts.set(name, { records: [record ?? ""], unlock: [] });
}

async function made(name: string) {
  const { service } = cryptoInProcess();
  const wanted = { acct: `${name}@post.example`, passphrase: "detonator reckless unaligned", nowMs: NOW };
  return { service, record: (await service.makeAccount(wanted)).record };
}

beforeAll(async () => {
  keyring = await (await made("ann")).service.exportKeyring();
  records.set("bob", [(await made("bob")).record, (await made("bob")).record]);
  records.set("mina", [(await made("mina")).record]);
});

const names = ({ people }: Device): string[] => people.list.map((person) => person.account);

beforeEach(() => {
  server = new FakeServer();
  server.signedIn = "ann";
});
afterEach(async () => {
  for (const { shards, vault } of devices.splice(0)) {
    shards.close();
    await forgetAccount(vault.db, ANN);
    vault.close();
  }
});

test("two devices that add somebody at a time end with both", async () => {
  const [one, other] = await annWithTwoDevices();
  somebody("bob");
  somebody("mina");
  await Promise.all([one.people.refresh(), other.people.refresh()]);
  await one.people.add("bob");
  await other.people.add("@MINA");
  await one.shards.save();
  await other.shards.save(); // refused, merged, stored
  await one.people.refresh();
  expect([names(one), names(other)]).toEqual([
    ["bob", "mina"],
    ["bob", "mina"],
  ]);
  expect(server.requests.filter((request) => request === `PUT /api/v1/${CONTACTS}`)).toHaveLength(3);
});

test("what was added without a network to store it lies on this device, sealed, and is stored later", async () => {
  const [one, other] = await annWithTwoDevices();
  somebody("bob");
  await one.people.refresh();
  await one.people.add("bob");
  server.isCut = true;
  await expect(one.shards.save()).rejects.toMatchObject({ code: "offline" });
  const copy = await one.vault.recall("shard contacts");
  expect(new TextDecoder("latin1").decode(copy ?? new Uint8Array())).not.toContain("bob");
  const later = await device("one"); // the next start of the same browser
  await later.crypto.importKeyring(keyring);
  await later.people.recall();
  await later.people.refresh();
  expect([names(later), later.people.state]).toEqual([["bob"], { kind: "offline" }]);
  server.isCut = false;
  await later.people.refresh();
  await later.shards.save();
  await other.people.refresh();
  expect(names(other)).toEqual(["bob"]);
});

test("what is decided in one window shows in the other, with and without a network, not in another browser's", async () => {
  const [one] = await annWithTwoDevices();
  const window = await device("one"); // of the same browser
  await window.crypto.importKeyring(keyring);
  somebody("bob");
  await Promise.all([one.people.refresh(), window.people.refresh()]);
  await one.people.add("bob");
  await vi.waitUntil(() => names(window).length === 1, { timeout: 5000, interval: 5 });
  server.isCut = true;
  await window.people.block("bob");
  await vi.waitUntil(() => one.people.standing("bob@post.example") === "blocked", { timeout: 5000, interval: 5 });
  expect(names(devices[1] ?? one)).toEqual([]); // another browser hears of it from the server
});

test("a shard that is wrong is told, and what is known here stays", async () => {
  const [one] = await annWithTwoDevices();
  somebody("bob");
  await one.people.refresh();
  await one.people.add("bob");
  await one.shards.save();
  server.put(CONTACTS, utf8("age-encryption.org/v1\nnonsense"));
  await one.people.refresh();
  expect([names(one), one.people.state]).toEqual([["bob"], { kind: "failed", failure: { code: "shard-damaged" } }]);
});

test("an older shard than this device has seen is told", async () => {
  const [one] = await annWithTwoDevices();
  somebody("bob");
  somebody("mina");
  await one.people.refresh();
  await one.people.add("bob");
  await one.shards.save();
  const older = server.files.get(CONTACTS)?.data ?? new Uint8Array();
  await one.people.add("mina");
  await one.shards.save();
  server.put(CONTACTS, older);
  await one.people.refresh();
  expect([names(one), one.people.state]).toEqual([
    ["bob", "mina"],
    { kind: "failed", failure: { code: "shard-rolled-back" } },
  ]);
});

test("somebody whose key changed is told and not believed", async () => {
  const [one] = await annWithTwoDevices();
  somebody("bob");
  await one.people.refresh();
  await one.people.add("bob");
  somebody("bob");
  expect(await one.people.add("bob")).toBeNull();
  expect(one.people.adding).toEqual({ kind: "failed", failure: { code: "safety-number-changed" } });
  expect(one.people.view("bob@post.example").trust).toBe("new-key");
  await expect(one.people.meet("bob@post.example", null)).rejects.toMatchObject({ code: "safety-number-changed" });
});

test.each([
  ["nobody", "no-such-account"],
  ["bob@other.example", "unknown-server"],
  ["b", "bad-name"],
  ["a@b@c", "bad-name"],
])("who cannot be found is told: %s", async (typed, code) => {
  const [one] = await annWithTwoDevices();
  await one.people.refresh();
  expect(await one.people.add(typed)).toBeNull();
  expect(one.people.adding).toEqual({ kind: "failed", failure: { code } });
  expect(names(one)).toEqual([]);
});

test("records of somebody else under a name are refused", async () => {
  const [one] = await annWithTwoDevices();
  somebody("mina");
  const mina = server.accounts.get("mina");
  if (mina) server.accounts.set("bob", mina);
  await one.people.refresh();
  await one.people.add("bob");
  expect(one.people.adding).toEqual({ kind: "failed", failure: { code: "record-other-account" } });
});

test("who is removed is no longer listed, and comes back when added again", async () => {
  const [one] = await annWithTwoDevices();
  somebody("bob");
  await one.people.refresh();
  await one.people.add("bob");
  await one.people.remove("bob");
  expect(names(one)).toEqual([]);
  await new Promise((resolve) => setTimeout(resolve, 2)); // a later mark wins
  await one.people.add("bob");
  expect(names(one)).toEqual(["bob"]);
});

test("a device that has just signed in takes the contacts once before it opens anything", async () => {
  const [one] = await annWithTwoDevices();
  const asked = (): number => server.requests.filter((request) => request.includes("account/state")).length;
  const before = asked();
  await one.shards.need("contacts");
  const after = asked();
  await one.shards.need("contacts");
  expect([after > before, asked()]).toEqual([true, after]);
});
