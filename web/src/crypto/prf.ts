// What WebAuthn's PRF is given (docs/protocol/keys.md, "Passkey"). By WebCrypto, for the page needs it too.

import { utf8 } from "../protocol/encoding";

/** The same for every account and credential. */
export async function prfInput(): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", utf8("restante/1 prf")));
}
