// Pins: what is known of an account since first contact, and which new records it accepts
// (docs/protocol/account-record.md, "Pins").

import { b64, equalBytes, unb64 } from "../protocol/encoding";
import { ProtocolError } from "../protocol/errors";
import { integer, list, struct, text, type Shaped } from "../protocol/shape";
import { checkSuccessor, readRecord, type AccountRecord } from "./account";

export const pinShape = struct({
  era: integer(),
  rev: integer(),
  record: text(),
  sign: text(),
  former: list(text()),
});

/**
 * The signing key of an account and the last record seen.
 *
 * `era` counts how often the person accepted a changed key; `rev` and `record` are the number and SHA-256 of the last
 * record; `former` are the keys that `sign` followed by succession.
 */
export type Pin = Shaped<typeof pinShape>;

/** The account has another signing key and no succession: sending is blocked until the person accepts it. */
export class SafetyNumberChanged extends ProtocolError {
  constructor(
    readonly old: Uint8Array,
    readonly next: Uint8Array,
  ) {
    super("safety-number-changed");
  }
}

/**
 * Pins an account at first contact; `signer` is who signed the envelope that made the contact.
 * @throws ProtocolError wrong-signer, when the account's record names another key: somebody else wrote the envelope
 */
export function firstUse(record: AccountRecord, signer?: Uint8Array): Pin {
  if (signer && !equalBytes(signer, record.sign)) throw new ProtocolError("wrong-signer");
  return { era: 0, rev: record.rev, record: record.sha256, sign: b64(record.sign), former: [] };
}

/**
 * Pins an account at first contact from its whole history: an envelope may still be signed by a former key.
 * @throws ProtocolError
 */
export function firstContact(acct: string, history: readonly Uint8Array[], signer?: Uint8Array): Pin {
  const first = readRecord(history[0] ?? new Uint8Array(0));
  if (first.rev !== 1) throw new ProtocolError("record-chain-broken");
  const pin = follow(firstUse(first), acct, history);
  if (signer && ![pin.sign, ...pin.former].includes(b64(signer))) throw new ProtocolError("wrong-signer");
  return pin;
}

/**
 * Checks the records from `pin.rev` on, oldest first, and returns the pin moved to the last of them; an older first
 * record is welcome. @throws ProtocolError, SafetyNumberChanged
 */
export function follow(pin: Pin, acct: string, history: readonly Uint8Array[]): Pin {
  const chain = history.map(readRecord);
  const last = chain.at(-1);
  if (!last) throw new ProtocolError("record-chain-broken");
  if (chain.some((record) => record.acct !== acct)) throw new ProtocolError("record-other-account");
  checkAnchor(pin, chain, last);
  const former = [...pin.former];
  for (const [index, next] of chain.entries()) {
    const old = chain[index - 1];
    if (!old) continue;
    checkStep(pin, old, next);
    if (next.rev > pin.rev && !equalBytes(next.sign, old.sign)) former.push(b64(old.sign));
  }
  return { era: pin.era, rev: last.rev, record: last.sha256, sign: b64(last.sign), former };
}

/** The records that following this history would newly pin: none when nothing is new, or when it cannot be followed. */
export function newRecords(
  before: Pin | undefined,
  acct: string,
  history: readonly Uint8Array[],
): readonly Uint8Array[] {
  try {
    const after = before ? follow(before, acct, history) : firstContact(acct, history);
    return after.rev === before?.rev ? [] : history.slice((before?.rev ?? 0) - after.rev);
  } catch (error) {
    if (error instanceof ProtocolError) return [];
    throw error;
  }
}

/** Pins the new key after the person accepted it; any `verified` mark was for the old one. */
export function acceptChangedKey(pin: Pin, record: AccountRecord): Pin {
  return { ...firstUse(record), era: pin.era + 1 };
}

/** Finds the pinned record in the chain, or says what its absence means. */
function checkAnchor(pin: Pin, chain: readonly AccountRecord[], last: AccountRecord): void {
  const anchor = chain.find((record) => record.rev === pin.rev);
  if (anchor?.sha256 === pin.record) return;
  const key = b64(last.sign);
  if (pin.former.includes(key)) throw new ProtocolError("record-rollback");
  if (key !== pin.sign) throw new SafetyNumberChanged(unb64(pin.sign, 32), last.sign);
  if (last.rev < pin.rev) throw new ProtocolError("record-rollback");
  throw new ProtocolError(anchor ? "record-forked" : "record-chain-broken");
}

function checkStep(pin: Pin, old: AccountRecord, next: AccountRecord): void {
  try {
    checkSuccessor(old.raw, next.raw);
  } catch (error) {
    const changed = error instanceof ProtocolError && error.code === "record-key-changed";
    throw changed ? new SafetyNumberChanged(unb64(pin.sign, 32), next.sign) : error;
  }
}
