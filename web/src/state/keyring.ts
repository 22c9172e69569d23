/** The keyring on the server: read, and changed in agreement with other devices. */

import type { AccountView, CryptoService, KeyringChange, SealedKeyring } from "../crypto/service";
import { b64 } from "../protocol/encoding";
import { Problem, type Api, type Octets } from "../transfer/http";

const PATH = "/api/v1/account/keyring";
const TRIES = 5;

export const fetchKeyring = (api: Api): Promise<Octets> => api.getOctets(PATH);

/** What a new way in is, for the server, with the keyring as it is from then on. */
export interface Stored {
  readonly keyring: string;
  /** For a request that takes the keyring only in the place of the one it was made from. */
  readonly headers: Readonly<Record<"if-match", string>>;
  readonly bearer: string;
  readonly salt: string | null;
}

/**
 * Changes the keyring together with what the server keeps of a way in, in one request by `store`.
 * @throws Problem, ProtocolError such as keyring-conflict
 */
export async function storeWith(
  tools: { api: Api; crypto: CryptoService },
  change: KeyringChange,
  store: (stored: Stored) => Promise<unknown>,
): Promise<AccountView> {
  const { account } = await storeChange(tools, change, async ({ sealed, bearer, salt }, version) => {
    await store({ keyring: b64(sealed), headers: { "if-match": version }, bearer: bearer ?? "", salt });
    return "";
  });
  return account;
}

/**
 * Opens the server's keyring, changes it, and merges with what another device stored meanwhile. The worker forgets its shards.
 * @throws Problem, ProtocolError such as keyring-conflict
 */
export async function storeChange(
  { api, crypto }: { api: Api; crypto: CryptoService },
  change: KeyringChange,
  store = ({ sealed }: SealedKeyring, version: string): Promise<string> => api.putOctets(PATH, sealed, version),
): Promise<{ account: AccountView; sealed: Uint8Array<ArrayBuffer>; version: string }> {
  const { acct, sign } = await crypto.account();
  const newest = await fetchKeyring(api);
  await crypto.openKeyring({ sealed: newest.data, acct, known: sign });
  try {
    return await put({ api, crypto }, await crypto.changeKeyring(change), newest.etag, store);
  } catch (error) {
    // What was not stored is not so.
    await crypto.openKeyring({ sealed: newest.data, acct, known: sign }).catch(() => undefined);
    throw error;
  }
}

async function put(
  { api, crypto }: { api: Api; crypto: CryptoService },
  change: SealedKeyring,
  replaces: string,
  store: (made: SealedKeyring, version: string) => Promise<string>,
): Promise<{ account: AccountView; sealed: Uint8Array<ArrayBuffer>; version: string }> {
  let [made, version] = [change, replaces];
  for (let left = TRIES; ; left -= 1) {
    try {
      const stored = await store(made, version);
      return { account: await crypto.keyringStored(), sealed: made.sealed, version: stored };
    } catch (error) {
      if (left === 0 || !(error instanceof Problem) || error.code !== "stale-version") throw error;
      const theirs = await fetchKeyring(api);
      version = theirs.etag;
      const { sealed, rev } = await crypto.mergeKeyring(theirs.data);
      made = { ...made, sealed, rev };
    }
  }
}
