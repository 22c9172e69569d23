/** The steps by which an account is made or signed in to, and this browser trusted with its keyring. */

import type { AccountView, CryptoService } from "../crypto/service";
import { unb64 } from "../protocol/encoding";
import { newId } from "../protocol/ids";
import { nameOf } from "../protocol/names";
import { Problem, type Api, type Body } from "../transfer/http";
import { malformed } from "../transfer/problem";
import type { DeviceVault } from "../storage/keys";
import { isCode, Refused, type Failure } from "./failure";
import { fetchKeyring, storeChange } from "./keyring";
import type { Memory } from "./memory";
import type { Passkeys, Shown } from "./passkeys";

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
const WHY_MS = 5000;
const NOTHING = { bearer: null, salt: null, ceremony: null, credential: null, label: null, mid: null };

export interface ServerFacts {
  readonly name: string;
  readonly isOpen: boolean;
  /** Passkeys are for domains, not for bare addresses. */
  readonly hasPasskeys: boolean;
  /** How the operator's provider of identities is called, or empty. */
  readonly provider: string;
}

type Unlock = Body<"post", "/api/v1/accounts">["unlock"][number];
/** A way in as it is posted: of a passkey its ceremony, of the others the bearer. */
export type NewUnlock = Pick<Unlock, "type"> & Partial<Unlock>;

/** What the server says of itself. @throws Problem, Refused server-too-new */
export async function askServer(api: Api): Promise<ServerFacts> {
  const { protocol, server_name, sign_up, passkeys, provider } = await api.get("/api/v1/server");
  if (!protocol.includes(PROTOCOL)) throw new Refused("server-too-new");
  const isOpen = sign_up !== "closed";
  return { name: server_name, isOpen, hasPasskeys: passkeys === true, provider: provider ?? "" };
}

/** Tells early that a name is taken; the sign-up itself decides. @throws Problem */
export async function isTaken(api: Api, name: string): Promise<boolean> {
  return (await api.get("/api/v1/accounts/{name}", { path: { name } })).taken;
}

/** Makes the account on the server. When an answer was lost, a sign-in by a new bearer tells whether it was done. @throws Problem */
export async function postSignUp(
  api: Api,
  name: string,
  made: {
    record: string;
    keyring: string;
    unlock: readonly NewUnlock[];
    ticket?: string | null;
    country?: string | null;
  },
): Promise<void> {
  const { record, keyring, unlock, ticket = null, country = null } = made;
  const ways = unlock.map((way) => ({ ...NOTHING, ...way }));
  const body = { name, record, keyring, unlock: ways, client: "web" as const, ticket, country };
  try {
    await api.post("/api/v1/accounts", body);
  } catch (error) {
    if (!isCode(error, "offline") && !isCode(error, "name-taken")) throw error;
    if (!(await isDone(api, name, unlock))) throw error;
  }
}

/** Signs in and opens the keyring. @throws Problem, ProtocolError */
export async function signInBy(tools: Tools, entered: Entered, serverName: string): Promise<AccountView> {
  const { account: name, way: type } = entered;
  const bearer = await taken(tools, entered);
  await tools.api.post("/api/v1/sign-in", { name, type, bearer, client: "web" });
  try {
    return await opened(tools, name, serverName);
  } catch (error) {
    await leaveServer(tools.api).catch(() => undefined); // it would be a session that nobody uses
    throw error;
  }
}

/** A passkey that was shown, and the question to which. */
export interface Answered extends Shown {
  readonly ceremony: string;
}

/** Asks for whatever passkey the person chooses. @throws Problem, Refused passkey-… */
export async function askPasskey({ api, passkeys }: { api: Api; passkeys: Passkeys }): Promise<Answered> {
  const { ceremony, options } = await api.post("/api/v1/passkeys/assertion", {});
  return { ceremony, ...(await passkeys.ask(options)) };
}

/** Signs in by a passkey that was shown. Without an account: the passkey does not unlock it. @throws Problem, ProtocolError, Refused */
export async function signInByPasskey(
  tools: Tools,
  { ceremony, credential, prf }: Answered,
  serverName: string,
): Promise<{ name: string; account: AccountView | null }> {
  const { api, crypto } = tools;
  const { acct } = await api.post("/api/v1/sign-in/passkey", { ceremony, credential, client: "web" });
  const name = nameOf(acct);
  if (prf === null) return { name, account: null };
  try {
    await crypto.takePasskey(prf);
    return { name, account: await opened(tools, name, serverName) };
  } catch (error) {
    if (isCode(error, "keyring-no-match")) return { name, account: null };
    await leaveServer(api).catch(() => undefined);
    throw error;
  }
}

/** Opens the keyring of whoever has signed in by a passkey that does not. @throws Problem, ProtocolError, Refused sign-in-refused */
export async function unlockBy(tools: Tools, entered: Entered, serverName: string): Promise<AccountView> {
  await taken(tools, entered);
  try {
    return await opened(tools, entered.account, serverName);
  } catch (error) {
    throw isCode(error, "keyring-no-match") ? new Refused("sign-in-refused") : error;
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

/** Ends a session, or the `others`. One that has ended already is no failure. @throws Problem such as verification-needed */
export async function endSession(api: Api, id: string): Promise<void> {
  try {
    await api.delete("/api/v1/sessions/{session_id}", { path: { session_id: id } });
  } catch (error) {
    if (!isCode(error, "not-found")) throw error;
  }
}

/** Ends this session. One that has ended already is no failure. @throws Problem */
export async function leaveServer(api: Api): Promise<void> {
  try {
    await api.delete("/api/v1/sessions/{session_id}", { path: { session_id: "current" } });
  } catch (error) {
    if (!isCode(error, "not-signed-in") && !isCode(error, "device-removed")) throw error;
  }
}

/** Why the server has ended a session that went well. Never rejects. */
export async function whyEnded(api: Api): Promise<Failure> {
  const asked = api.get("/api/v1/sessions", { timeoutMs: WHY_MS });
  const removed = await asked.then(
    () => false,
    (error: unknown) => isCode(error, "device-removed"),
  );
  return { code: removed ? "device-removed" : "not-signed-in" };
}

async function opened({ api, crypto }: Tools, name: string, serverName: string): Promise<AccountView> {
  const { data } = await fetchKeyring(api);
  const { items } = await api.get("/api/v1/accounts/{name}/records", { path: { name } });
  return crypto.openKeyring({
    sealed: data,
    acct: `${name}@${serverName}`,
    history: items.map(({ record }) => read(record)),
  });
}

function read(record: string): Uint8Array {
  try {
    return unb64(record);
  } catch {
    throw malformed("an account record");
  }
}

async function taken({ api, crypto }: Tools, { account, secret, way }: Entered): Promise<string> {
  if (way === "recovery") return crypto.takeRecoveryCode(secret);
  const { salt } = await api.get("/api/v1/sign-in/{name}/salt", { path: { name: account } });
  return crypto.takePassphrase(secret, salt);
}

async function isDone(api: Api, name: string, unlock: readonly NewUnlock[]): Promise<boolean> {
  for (const { type, bearer } of unlock) {
    if (type === "passkey" || !bearer) continue;
    try {
      await api.post("/api/v1/sign-in", { name, type, bearer, client: "web" });
      return true;
    } catch (error) {
      if (error instanceof Problem) return false;
      throw error;
    }
  }
  return false;
}
