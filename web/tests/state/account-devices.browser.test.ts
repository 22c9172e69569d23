import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { NewAccount } from "../../src/crypto/service";
import { newX25519Identity } from "../../src/crypto/age";
import { AccountDevices, joined, type AccountDevice } from "../../src/state/account-devices.svelte";
import { Choices } from "../../src/state/choices.svelte";
import type { House } from "../../src/state/house.svelte";
import { storeChange } from "../../src/state/keyring";
import { Session } from "../../src/state/session.svelte";
import { openDatabase } from "../../src/storage/db";
import { Api } from "../../src/transfer/http";
import { onceEach } from "./argon2_once";
import { FakeServer } from "./fake_server";
import { cryptoInProcess } from "./in_process";

vi.mock(import("../../src/crypto/argon2"), async (original) => onceEach(await original()));

const WORDS = "detonator reckless unaligned jackal";
const TIMES = { created_at: 10, last_seen_at: 20 };

let server: FakeServer;
let session: Session;
let made: NewAccount;
let number = 0;

beforeAll(async () => {
  const acct = "ann@post.example";
  made = await cryptoInProcess().service.makeAccount({ acct, passphrase: WORDS, nowMs: Date.now() });
});
beforeEach(async () => {
  server = new FakeServer();
  localStorage.clear();
  const { record, keyring, unlock } = made;
  const body = JSON.stringify({ name: "ann", record, keyring, unlock, client: "web" });
  await server.fetch("/api/v1/accounts", { method: "POST", body });
  const name = `devices-${number++}-${Date.now()}`;
  session = new Session({
    choices: new Choices("en", () => undefined),
    api: new Api({ fetch: server.fetch }),
    startCrypto: () => cryptoInProcess().service,
    liveFetch: server.fetch,
    openDatabase: () => openDatabase(name),
  });
  await session.restore();
  await session.signIn({ account: "ann", secret: WORDS, way: "passphrase", keep: true });
});
afterEach(() => session.close());

function home(): House {
  if (!session.house) throw new Error("nobody is at home");
  return session.house;
}
const listed = ({ state }: AccountDevices): readonly AccountDevice[] => (state.kind === "ready" ? state.list : []);

/** A machine that was paired: in the keyring, and signed in. */
async function machine(did: string): Promise<void> {
  const identity = newX25519Identity();
  await storeChange(home(), { kind: "add-device", did, label: `machine ${did}`, identity, nowMs: 5 });
  server.others.push({ id: `ses_${did}`, client: "cli", ...TIMES, current: false, label: "its word", device: did });
}

test("sessions and devices are one list, this one first named", async () => {
  await machine("dev_a");
  const devices = home().part(AccountDevices);
  await devices.look();
  expect(listed(devices).map(({ isHere, client, label }) => [isHere, client, label])).toEqual([
    [true, "web", home().memory.deviceId === null ? "" : listed(devices)[0]?.label],
    [false, "cli", "machine dev_a"],
  ]);
  expect(listed(devices)[0]?.deviceId).toBe(home().memory.deviceId);
});

test("a removed device is signed out, and out of the keyring", async () => {
  await machine("dev_a");
  await machine("dev_b");
  const devices = home().part(AccountDevices);
  await devices.look();
  server.requests.length = 0;
  await devices.remove("ses_dev_a");
  expect(listed(devices).map(({ deviceId }) => deviceId)).toEqual([home().memory.deviceId, "dev_b"]);
  const { devices: held } = await home().crypto.account();
  expect(held.map(({ did }) => did)).toEqual([home().memory.deviceId, "dev_b"]);
  const changes = server.requests.filter((request) => !request.startsWith("GET"));
  expect(changes).toEqual(["DELETE /api/v1/sessions/ses_dev_a", "PUT /api/v1/account/keyring"]);
});

test("all others are removed, and this one stays", async () => {
  for (const did of ["dev_a", "dev_b"]) await machine(did);
  const devices = home().part(AccountDevices);
  await devices.look();
  await devices.removeOthers();
  expect(listed(devices).map(({ isHere }) => isHere)).toEqual([true]);
  expect((await home().crypto.account()).devices.map(({ did }) => did)).toEqual([home().memory.deviceId]);
  expect(server.signedIn).toBe("ann");
});

test("a session that has ended by itself does not keep its device in the keyring", async () => {
  await machine("dev_a");
  const devices = home().part(AccountDevices);
  await devices.look();
  server.others.splice(0);
  await devices.remove("ses_dev_a");
  expect(listed(devices).map(({ isHere }) => isHere)).toEqual([true]);
});

test("without a network it says so, and nothing is removed", async () => {
  await machine("dev_a");
  const devices = home().part(AccountDevices);
  await devices.look();
  server.isCut = true;
  await devices.remove("ses_dev_a");
  expect([devices.state, devices.removing.size]).toEqual([{ kind: "offline" }, 0]);
  server.isCut = false;
  await devices.look();
  expect(listed(devices)).toHaveLength(2);
});

test("a session that has not said what it is is made good when the list is looked at", async () => {
  server.introduced = null;
  const devices = home().part(AccountDevices);
  await devices.look();
  expect(server.introduced).toMatchObject({ device: home().memory.deviceId });
  expect(listed(devices)[0]?.deviceId).toBe(home().memory.deviceId);
});

test("a device that is not signed in stands in the list, and so does a session without a device", () => {
  const device = { did: "dev_x", label: "old", created: 3 };
  const other = { id: "ses_y", client: "web" as const, ...TIMES, current: true, label: "", device: null };
  expect(
    joined([other], { devices: [device] }, null).map(({ id, client, deviceId }) => [id, client, deviceId]),
  ).toEqual([
    ["ses_y", "web", null],
    ["dev_x", null, "dev_x"],
  ]);
});
