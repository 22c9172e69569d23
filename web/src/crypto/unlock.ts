// Ways in: a secret becomes an age identity that opens, and a bearer that the server knows the hash of
// (docs/protocol/keys.md, "Derived keys").

import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, utf8 } from "../protocol/encoding";
import { ProtocolError } from "../protocol/errors";
import { identityFromBytes } from "./age";
import { argon2id } from "./argon2";

export const SALT_BYTES = 16;

/** One way in: `identity` stays on the device, `bearer` (32 bytes) is shown to the server. */
export interface Access {
  readonly identity: string;
  readonly bearer: Uint8Array;
}

const WHITE = /[\t\n\v\f\r ]+/g;

/** Derives 32 bytes: HKDF-SHA256 with an empty salt. */
export function kdf(ikm: Uint8Array, info: string): Uint8Array {
  return hkdf(sha256, ikm, undefined, utf8(info), 32);
}

/** Derives the way in of an unlock method from its secret U. */
export function unlockAccess(secret: Uint8Array): Access {
  return access(secret, secret, "unlock");
}

/** Derives the way in of a guest link from the 32 bytes in its fragment. */
export function linkAccess(secret: Uint8Array): Access {
  return access(secret, secret, "link");
}

/** Derives the way in of an answering page's greeting from its 16 bytes. */
export function greetingAccess(secret: Uint8Array): Access {
  return access(secret, secret, "greeting");
}

/** Derives the way in of a guest link with a password; a wrong one gives a wrong identity. */
export async function linkAccessWithPassword(secret: Uint8Array, password: string): Promise<Access> {
  const stretched = await argon2id(utf8(normalisePassphrase(password)), linkSalt(secret));
  return access(concat(secret, stretched), secret, "link");
}

/** Derives the way in of a passphrase; takes a third of a second, or some. @throws ProtocolError salt-malformed */
export async function passphraseAccess(passphrase: string, salt: Uint8Array): Promise<Access> {
  if (salt.length !== SALT_BYTES) throw new ProtocolError("salt-malformed");
  return unlockAccess(await argon2id(utf8(normalisePassphrase(passphrase)), salt));
}

/** Brings every way to type it to one: NFKC, runs of white space to one space, none at the ends. */
export function normalisePassphrase(passphrase: string): string {
  return passphrase.normalize("NFKC").replace(WHITE, " ").replace(/^ | $/g, "");
}

/** Derives the salt of a guest link's password. */
export function linkSalt(secret: Uint8Array): Uint8Array {
  return kdf(secret, "restante/1 link salt").slice(0, SALT_BYTES);
}

function access(identitySecret: Uint8Array, bearerSecret: Uint8Array, use: "unlock" | "link" | "greeting"): Access {
  return {
    identity: identityFromBytes(kdf(identitySecret, `restante/1 ${use} identity`)),
    bearer: kdf(bearerSecret, `restante/1 ${use} auth`),
  };
}
