/** The steps by which an account is made or signed in to, and this browser trusted with its keyring. */

import type { AccountView, CryptoService, NewAccount } from "../crypto/service";
import { unb64 } from "../protocol/encoding";
import { newId } from "../protocol/ids";
import { Problem, type Api } from "../transfer/http";
import { malformed } from "../transfer/problem";
import type { DeviceVault } from "../storage/keys";
import { isCode, Refused } from "./failure";
import { fetchKeyring, storeChange } from "./keyring";
import type { Memory } from "./memory";

/** The way in that a person typed. */
export interface Entered {
  /** `ann` */
  account: string;
  secret: string;
  way: "passphrase" | "recovery";
}

interface Tools {
  readonly api: Api;
  readonly crypto: CryptoService;
}

const PROTOCOL = 1;

export interface ServerFacts {
  readonly name: string;
  readonly isOpen: boolean;
}

/** What the server says of itself. @throws Problem, Refused server-too-new */
export async function askServer(api: Api): Promise<ServerFacts> {
  const { protocol, server_name, sign_up } = await api.get("/api/v1/server");
  if (!protocol.includes(PROTOCOL)) throw new Refused("server-too-new");
  return { name: server_name, isOpen: sign_up === "open" };
}

/** Tells early that a name is taken; the sign-up itself decides. @throws Problem */
export async function isTaken(api: Api, name: string): Promise<boolean> {
  try {
    await api.get("/api/v1/accounts/{name}/record", { path: { name } });
    return true;
  } catch (error) {
    if (isCode(error, "no-such-account")) return false;
    throw error;
  }
}

/** Makes the account on the server. When an answer was lost, a sign-in by the new bearer tells whether it was done. @throws Problem */
export async function postSignUp(api: Api, name: string, made: NewAccount): Promise<void> {
  const { record, keyring, unlock } = made;
  const body = { name, record, keyring, unlock: [...unlock], client: "web" as const };
  try {
    await api.post("/api/v1/accounts", body);
  } catch (error) {
    if (!isCode(error, "offline") && !isCode(error, "name-taken")) throw error;
    const [way] = unlock;
    if (!way || !(await isDone(api, name, way))) throw error;
  }
}

/** Signs in and opens the keyring. @throws Problem, ProtocolError */
export async function signInBy(
  { api, crypto }: Tools,
  { account, secret, way }: Entered,
  serverName: string,
): Promise<AccountView> {
  const bearer = await taken({ api, crypto }, { account, secret, way });
  await api.post("/api/v1/sign-in", { name: account, type: way, bearer, client: "web" });
  try {
    const { data } = await fetchKeyring(api);
    const { items } = await api.get("/api/v1/accounts/{name}/records", { path: { name: account } });
    const history = items.map(({ record }) => unb64(record));
    return await crypto.openKeyring({ sealed: data, acct: `${account}@${serverName}`, history });
  } catch (error) {
    await leaveServer(api).catch(() => undefined); // it would be a session that nobody uses
    throw error instanceof RangeError ? malformed("an account record") : error;
  }
}

/** Lets this browser open the keyring from now on, by a key of its own. @throws Problem, StorageError, ProtocolError */
export async function trust(
  { api, crypto, vault, memory }: Tools & { vault: DeviceVault; memory: Memory },
  label: string,
): Promise<void> {
  const identity = await crypto.newDeviceIdentity();
  const did = newId("dev");
  const change = { kind: "add-device", did, label, identity, nowMs: Date.now() } as const;
  const { account, sealed, version } = await storeChange({ api, crypto }, change);
  await crypto.openKeyring({ sealed, acct: account.acct, known: account.sign, identity });
  await vault.keepKeyring(await crypto.exportKeyring());
  await memory.note({ deviceId: did, keyringVersion: version });
  await memory.raise("keyring", account.rev);
}

/** Takes devices out of the keyring, so that they open no later one. @throws Problem, ProtocolError */
export async function distrust({ api, crypto }: Tools, devices: readonly string[]): Promise<void> {
  for (const did of devices) await storeChange({ api, crypto }, { kind: "drop-device", did });
}

/** Ends this session, or all of the account. One that has ended already is no failure. @throws Problem */
export async function leaveServer(api: Api, everywhere = false): Promise<void> {
  try {
    if (everywhere) await api.delete("/api/v1/sessions");
    else await api.delete("/api/v1/sessions/{session_id}", { path: { session_id: "current" } });
  } catch (error) {
    if (!isCode(error, "not-signed-in")) throw error;
  }
}

async function taken({ api, crypto }: Tools, { account, secret, way }: Entered): Promise<string> {
  if (way === "recovery") return crypto.takeRecoveryCode(secret);
  const { salt } = await api.get("/api/v1/sign-in/{name}/salt", { path: { name: account } });
  return crypto.takePassphrase(secret, salt);
}

async function isDone(api: Api, name: string, way: NewAccount["unlock"][number]): Promise<boolean> {
  try {
    await api.post("/api/v1/sign-in", { name, type: way.type, bearer: way.bearer, client: "web" });
    return true;
  } catch (error) {
    if (error instanceof Problem) return false;
    throw error;
  }
}
