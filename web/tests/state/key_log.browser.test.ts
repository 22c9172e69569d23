/** Nobody is pinned who does not stand in the server's log, and no log is believed that does not continue the one before. */

import { afterEach, beforeEach, expect, test } from "vitest";
import { signingKey } from "../../src/crypto/signing";
import { KeyLog } from "../../src/state/key-log";
import { Witnesses } from "../../src/state/witnesses.svelte";
import { Memory } from "../../src/state/memory";
import { People } from "../../src/state/people.svelte";
import { ShardStore } from "../../src/state/shards";
import { openDatabase } from "../../src/storage/db";
import { DeviceVault, forgetAccount } from "../../src/storage/keys";
import { Api } from "../../src/transfer/http";
import { FakeServer } from "./fake_server";
import { cryptoInProcess } from "./in_process";

const ANN = "ann@post.example";
const DATABASE = "test-key-log";
const records = new Map<string, string>();
let server: FakeServer;
let vault: DeviceVault;
let keyring: Uint8Array<ArrayBuffer>;

async function madeRecord(name: string): Promise<string> {
  const { service } = cryptoInProcess();
  const made = await service.makeAccount({ acct: `${name}@post.example`, passphrase: null, nowMs: Date.now() });
  if (name === "ann") keyring = await service.exportKeyring();
  return made.record;
}

/** A page of Ann's: each knows what the one before has seen. */
async function page(): Promise<People> {
  return (await pageWithLog()).people;
}

async function pageWithLog(): Promise<{ people: People; log: KeyLog }> {
  const crypto = cryptoInProcess().service;
  await crypto.importKeyring(keyring);
  const account = { acct: ANN };
  const api = new Api({ fetch: server.fetch });
  const takeNewKeyring = () => Promise.resolve(false);
  const tools = { api, crypto, vault, memory: await Memory.recall(vault), account, takeNewKeyring };
  const log = new KeyLog(tools);
  const people = new People({ ...tools, shards: new ShardStore(tools), log });
  await people.refresh();
  return { people, log };
}

async function adding(people: People, name: string): Promise<string> {
  await people.add(name);
  return people.adding.kind === "failed" ? people.adding.failure.code : people.adding.kind;
}

beforeEach(async () => {
  server = new FakeServer();
  server.signedIn = "ann";
  vault = await DeviceVault.open(ANN, await openDatabase(DATABASE));
  for (const name of ["ann", "bob", "mina"]) {
    if (!records.has(name)) records.set(name, await madeRecord(name));
    server.accounts.set(name, { records: [records.get(name) ?? ""], unlock: [] });
  }
});
afterEach(async () => {
  await forgetAccount(vault.db, ANN);
  vault.close();
});

test("who stands in the log is added, and the same again asks nothing of the log", async () => {
  const people = await page();
  expect(await adding(people, "bob")).toBe("added");
  const asked = (): string[] => server.requests.filter((request) => request.includes("/tlog/"));
  expect(server.requests).toContain("GET /api/v1/accounts/bob/records");
  const before = asked().length;
  expect(await adding(people, "bob")).toBe("added");
  expect(asked()).toHaveLength(before);
  expect(await adding(people, "mina")).toBe("added");
});

test("who does not stand in the log is not added", async () => {
  server.log.leafOf("mina@post.example", records.get("mina") ?? "");
  server.log.omitted.add(records.get("bob") ?? "");
  const people = await page();
  expect(await adding(people, "bob")).toBe("log-omission");
  expect(people.list).toEqual([]);
  expect(await adding(people, "mina")).toBe("added");
});

test("a log that does not continue the one before is refused, also by the next page", async () => {
  expect(await adding(await page(), "bob")).toBe("added");
  server.log.fork();
  const people = await page();
  expect(await adding(people, "mina")).toBe("log-forked");
  expect(people.list.map(({ account }) => account)).not.toContain("mina");
});

test("a shorter log is refused", async () => {
  const people = await page();
  expect([await adding(people, "bob"), await adding(people, "mina")]).toEqual(["added", "added"]);
  records.set("carl", await madeRecord("carl"));
  server.accounts.set("carl", { records: [records.get("carl") ?? ""], unlock: [] });
  server.log.empty();
  expect(await adding(await page(), "carl")).toBe("log-rollback");
});

test("a log with another key is refused", async () => {
  expect(await adding(await page(), "bob")).toBe("added");
  server.log.key = signingKey(new Uint8Array(32).fill(8));
  expect(await adding(await page(), "mina")).toBe("log-key-changed");
});

test("a witness who is required must have signed, also on the next page, until nobody requires it", async () => {
  const { witness } = server.log;
  const first = await pageWithLog();
  const witnesses = new Witnesses({ log: first.log });
  await witnesses.look();
  const [key = ""] = witnesses.list.map((one) => one.key);
  expect(witnesses.list).toEqual([{ key: server.log.witnessKey, name: witness.name, isRequired: false }]);
  await witnesses.choose(key, true);
  expect(witnesses.failure?.code).toBe("log-unwitnessed"); // who did not sign yet is not required
  expect(await adding(first.people, "bob")).toBe("added");

  witness.isThere = true;
  await witnesses.choose(key, true);
  expect([witnesses.failure, witnesses.list[0]?.isRequired]).toEqual([null, true]);
  witness.isThere = false;
  const next = await pageWithLog();
  expect(await adding(next.people, "mina")).toBe("log-unwitnessed");
  expect(next.people.list.map(({ account }) => account)).not.toContain("mina");
  witness.isThere = true;
  expect(await adding(next.people, "mina")).toBe("added");

  witness.isThere = false;
  await new Witnesses({ log: next.log }).choose(key, false);
  records.set("dora", await madeRecord("dora"));
  server.accounts.set("dora", { records: [records.get("dora") ?? ""], unlock: [] });
  expect(await adding(await page(), "dora")).toBe("added");
});

test("a witness that the server no longer names stays required", async () => {
  const { log } = await pageWithLog();
  server.log.witness.isThere = true;
  const key = server.log.witnessKey;
  await log.require(key);
  server.log.witness.name = "other.example";
  expect((await log.witnesses()).map(({ name, isRequired }) => [name, isRequired])).toEqual([
    ["witness.example", true],
    ["other.example", false],
  ]);
  await expect(log.require(key)).rejects.toMatchObject({ code: "log-unwitnessed" });
});
