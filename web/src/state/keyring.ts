/** The keyring on the server: read, and changed in agreement with other devices. */

import type { AccountView, CryptoService, KeyringChange } from "../crypto/service";
import { Problem, type Api, type Octets } from "../transfer/http";

const PATH = "/api/v1/account/keyring";
const TRIES = 5;

export const fetchKeyring = (api: Api): Promise<Octets> => api.getOctets(PATH);

/**
 * Opens the server's keyring, changes it, and merges with what another device stored meanwhile. The worker forgets its shards.
 * @throws Problem, ProtocolError such as keyring-conflict
 */
export async function storeChange(
  { api, crypto }: { api: Api; crypto: CryptoService },
  change: KeyringChange,
): Promise<{ account: AccountView; sealed: Uint8Array<ArrayBuffer>; version: string }> {
  const { acct, sign } = await crypto.account();
  const newest = await fetchKeyring(api);
  await crypto.openKeyring({ sealed: newest.data, acct, known: sign });
  let version = newest.etag;
  let { sealed } = await crypto.changeKeyring(change);
  for (let left = TRIES; ; left -= 1) {
    try {
      const stored = await api.putOctets(PATH, sealed, version);
      return { account: await crypto.keyringStored(), sealed, version: stored };
    } catch (error) {
      if (left === 0 || !(error instanceof Problem) || error.code !== "stale-version") throw error;
      const theirs = await fetchKeyring(api);
      version = theirs.etag;
      ({ sealed } = await crypto.mergeKeyring(theirs.data));
    }
  }
}
