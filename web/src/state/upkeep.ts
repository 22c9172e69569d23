/** What an account needs now and then while somebody uses it: its keyring as other devices left it, its record signed anew. */

import { b64 } from "../protocol/encoding";
import { DAY_MS } from "../protocol/limits";
import type { CryptoService } from "../crypto/service";
import type { DeviceVault } from "../storage/keys";
import type { Api } from "../transfer/http";
import type { Failure } from "./failure";
import { fetchKeyring } from "./keyring";
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
  readonly account: { readonly acct: string; readonly sign: string };
  warning: Failure | null;
  recall(): Promise<void>;
}

const LOOK_AFTER_MS = 30 * DAY_MS;

/** Opens the server's keyring when another device has changed it. @throws Problem; ProtocolError such as `keyring-no-match`: this device was removed */
export async function refreshKeyring(house: UpkeepTools): Promise<void> {
  const { api, crypto, vault, memory, shards, account } = house;
  const { data, etag } = await fetchKeyring(api);
  if (etag === memory.keyringVersion) return;
  await shards.save().catch(() => undefined); // it has its copy here, too
  const highestRev = memory.rev("keyring");
  const view = await crypto.openKeyring({ sealed: data, acct: account.acct, known: account.sign, highestRev });
  if (view.isRolledBack) house.warning = { code: "keyring-rolled-back" };
  if (memory.deviceId !== null) await vault.keepKeyring(await crypto.exportKeyring());
  await memory.raise("keyring", view.rev);
  await memory.note({ keyringVersion: etag });
  shards.forget();
  await house.recall();
}

/** Signs the account's record anew once a month, so that it never expires while somebody uses the account. @throws Problem, ProtocolError */
export async function renewRecord({ api, crypto, memory, people, account }: UpkeepTools): Promise<void> {
  const nowMs = Date.now();
  if (nowMs - memory.recordMs < LOOK_AFTER_MS) return;
  const record = await crypto.renewRecord(await people.history(account.acct), nowMs);
  if (record !== null) await api.put("/api/v1/account/record", { record: b64(record) });
  await memory.note({ recordMs: nowMs });
}
