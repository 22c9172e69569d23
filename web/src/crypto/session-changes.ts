import { unb64 } from "../protocol/encoding";
import { ProtocolError } from "../protocol/errors";
import { newDevice, newEncryptionIdentity, newMethod, type Keyring } from "./keyring";
import { withDevice, withEncryptionIdentity, withMethod, withoutDevice, withoutMethod } from "./keyring-changes";
import type { KeyringChange } from "./session-views";
import { passphraseAccess, SALT_BYTES } from "./unlock";

/** Applies one change; the result has the next rev. @throws ProtocolError salt-malformed */
export async function changed(keyring: Keyring, change: KeyringChange): Promise<Keyring> {
  switch (change.kind) {
    case "add-device":
      return withDevice(keyring, await newDevice(change.did, change.identity, change.label, change.nowMs));
    case "drop-device":
      return withoutDevice(keyring, change.did);
    case "add-passphrase": {
      const { identity } = await passphraseAccess(change.passphrase, salted(change.salt));
      return withMethod(keyring, await newMethod("passphrase", identity, change.label, change.nowMs));
    }
    case "drop-method":
      return withoutMethod(keyring, change.mid);
    case "rotate":
      return withEncryptionIdentity(keyring, newEncryptionIdentity(change.nowMs));
  }
}

/** Reads a salt that the server gave. @throws ProtocolError salt-malformed */
export function salted(salt: string): Uint8Array {
  try {
    return unb64(salt, SALT_BYTES);
  } catch {
    throw new ProtocolError("salt-malformed");
  }
}
