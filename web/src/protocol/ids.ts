// Ids: a prefix and the lower-case base32 of 16 random bytes.

import { base32 } from "./encoding";

/** What an id names; messages, encryption keys and unlock methods get theirs from a client, the rest from the server. */
export type Prefix = "msg" | "enc" | "mth" | "upl" | "ses" | "dev" | "lnk" | "grp";

const BODY = /^[a-z2-7]{25}[aeimquy4]$/;

/** Returns so many bytes from the system's source of randomness. */
export function randomBytes(size: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(size));
}

/** Makes an id such as `msg_` and 26 characters. */
export function newId(prefix: Prefix): string {
  return `${prefix}_${base32(randomBytes(16))}`;
}

/** Tells whether the text is the one spelling of an id of this kind. */
export function isId(text: string, prefix: Prefix): boolean {
  return text.startsWith(`${prefix}_`) && BODY.test(text.slice(prefix.length + 1));
}
