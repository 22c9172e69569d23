/** What an account needs now and then while somebody uses it: its keyring as other devices left it, its record signed anew. */

import { b64 } from "../protocol/encoding";
import { ProtocolError } from "../protocol/errors";
import { DAY_MS } from "../protocol/limits";
import type { CryptoService, KeyringChange } from "../crypto/service";
import type { DeviceVault } from "../storage/keys";
import type { Api } from "../transfer/http";
import { isCode, type Failure } from "./failure";
import { fetchKeyring, storeChange } from "./keyring";
import type { Memory } from "./memory";
import type { People } from "./people.svelte";
import type { ShardStore } from "./shards";

export interface UpkeepTools {
  readonly api: Api;
  readonly crypto: CryptoService;
  readonly vault: DeviceVault;
  readonly memory: Memory;
  readonly shards: ShardStore;
  readonly people: People;
  readonly account: { readonly acct: string };
  warning: Failure | null;
  recall(): Promise<void>;
}

type KeyringKeepers = Pick<UpkeepTools, "crypto" | "vault" | "memory">;

const LOOK_AFTER_MS = 30 * DAY_MS;
const WATCH_AFTER_MS = DAY_MS;
const ROTATE_AFTER_MS = 365 * DAY_MS;

/**
 * Opens the server's keyring when another device has changed it; tells whether it had.
 * @throws Problem; ProtocolError such as `keyring-no-match`: this device was removed
 */
export async function refreshKeyring(house: UpkeepTools): Promise<boolean> {
  if (!(await takeNewKeyring(house))) return false;
  await house.shards.save().catch(() => undefined); // it has its copy here, too
  house.shards.forget();
  await house.recall();
  return true;
}

/** The same, and goes on with what is known: for somebody in the middle of something. @throws likewise */
export async function takeNewKeyring(house: UpkeepTools): Promise<boolean> {
  const { api, crypto, memory, account } = house;
  const { data, etag } = await fetchKeyring(api);
  if (etag === memory.keyringVersion) return false;
  const { sign: known } = await crypto.account();
  const highestRev = memory.rev("keyring");
  const view = await crypto.openKeyring({ sealed: data, acct: account.acct, known, highestRev });
  if (view.isRolledBack) house.warning = { code: "keyring-rolled-back" };
  await keepKeyring(house, view.rev, etag);
  await memory.note({ recordMs: 0 }); // it may have keys that are not published yet
  return true;
}

/** Seals what is sealed to former state keys to the present one, and forgets them; any device finishes it. @throws Problem, ProtocolError */
export async function finishStateKey(house: UpkeepTools): Promise<void> {
  const { formerStates } = await house.crypto.account();
  if (formerStates.length === 0) return;
  await house.shards.reseal();
  const { account, version } = await storeChange(house, { kind: "forget-states", states: formerStates });
  await keepKeyring(house, account.rev, version);
}

/** Signs the account's record anew once a month, so that it never expires while somebody uses the account; seals anew once a year. @throws Problem, ProtocolError */
export async function renewRecord(house: UpkeepTools): Promise<void> {
  const { crypto, memory } = house;
  if (Date.now() - memory.recordMs < LOOK_AFTER_MS) return;
  const { sealingSince } = await crypto.account();
  if (Date.now() - sealingSince < ROTATE_AFTER_MS) await publishRecord(house);
  else await changeKeys(house, { kind: "rotate", nowMs: Date.now() });
}

/** Looks once a day at what the server shows under the own name: a record that is nobody's here is told. @throws Problem */
export async function watchOwnName(house: UpkeepTools): Promise<void> {
  const { memory, people } = house;
  if (Date.now() - memory.watchedMs < WATCH_AFTER_MS) return;
  try {
    await people.checkOwn().catch(async (error: unknown) => {
      // Perhaps another device has made a new key since.
      if (!isCode(error, "log-stranger") || !(await takeNewKeyring(house))) throw error;
      await people.checkOwn();
    });
    await memory.note({ watchedMs: Date.now() });
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    house.warning = { code: error.code };
  }
}

/**
 * Makes new keys. The keyring is stored first, the record after it: interrupted between the two, whichever device opens the
 * account next publishes it. @throws Problem `verification-needed` for a signing key, ProtocolError keyring-conflict
 */
export async function changeKeys(house: UpkeepTools, change: KeyringChange): Promise<void> {
  if (change.kind !== "rotate") await publishRecord(house); // a key that nobody knows yet could not be followed by another one
  await house.memory.note({ recordMs: 0 });
  const { account, version } = await storeChange(house, change);
  await keepKeyring(house, account.rev, version);
  await finishStateKey(house);
  await publishRecord(house);
}

/** Publishes the account's keys, where they are others than the record says or it is a month old. @throws Problem, ProtocolError */
export async function publishRecord({ api, crypto, memory, people, account }: UpkeepTools): Promise<void> {
  const nowMs = Date.now();
  const record = await crypto.renewRecord(await people.history(account.acct), nowMs);
  if (record !== null) await api.put("/api/v1/account/record", { record: b64(record) });
  await memory.note({ recordMs: nowMs });
}

async function keepKeyring({ crypto, vault, memory }: KeyringKeepers, rev: number, version: string): Promise<void> {
  if (memory.deviceId !== null) await vault.keepKeyring(await crypto.exportKeyring());
  await memory.raise("keyring", rev);
  await memory.note({ keyringVersion: version });
}
