// Successions: the old signing key says which key follows it (docs/protocol/account-record.md).

import { b64, equalBytes, isB64, unb64 } from "../protocol/encoding";
import { SUCCESSION_BYTES } from "../protocol/limits";
import { integer, struct, text } from "../protocol/shape";
import { readContainer, readPayload, writeContainer } from "./container";
import type { SigningKey } from "./signing";

const fieldsShape = struct({ acct: text(), old: text(), new: text(), created: integer() });

/** Signs with the old key that `next` follows it. */
export function buildSuccession(
  old: SigningKey,
  acct: string,
  next: Uint8Array,
  nowMs: number,
): Uint8Array<ArrayBuffer> {
  return writeContainer("succession", { acct, old: b64(old.public), new: b64(next), created: nowMs }, old);
}

/** Tells whether it leads an account from this key to that one. */
export function isSuccession(encoded: string, acct: string, old: Uint8Array, next: Uint8Array): boolean {
  const found = keysOf(encoded, acct);
  return found !== null && equalBytes(found.old, old) && equalBytes(found.next, next);
}

/**
 * The keys that an account had before `current`, the oldest first, by its successions in their order.
 * Null when these do not lead to it, step by step.
 */
export function formerKeys(encoded: readonly string[], acct: string, current: Uint8Array): Uint8Array[] | null {
  const former: Uint8Array[] = [];
  let next: Uint8Array | undefined;
  for (const each of encoded) {
    const found = keysOf(each, acct);
    if (found === null || (next && !equalBytes(found.old, next))) return null;
    former.push(found.old);
    ({ next } = found);
  }
  return next && !equalBytes(next, current) ? null : former;
}

/** Whatever is wrong with one, it connects nothing. */
function keysOf(encoded: string, acct: string): { old: Uint8Array; next: Uint8Array } | null {
  try {
    const box = readContainer(unb64(encoded), "succession", SUCCESSION_BYTES);
    const fields = readPayload(box, fieldsShape);
    if (box.signer === null || fields.acct !== acct || fields.old !== b64(box.signer)) return null;
    if (!isB64(fields.new, 32) || fields.new === fields.old) return null;
    return { old: box.signer, next: unb64(fields.new, 32) };
  } catch {
    return null;
  }
}
