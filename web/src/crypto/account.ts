// Account records: the public, self-signed, chained list of an account's keys (docs/protocol/account-record.md).

import { sha256 } from "@noble/hashes/sha2.js";
import { b64, equalBytes, isB64 } from "../protocol/encoding";
import { ProtocolError } from "../protocol/errors";
import { RECORD_BYTES, RECORD_VALID_MS } from "../protocol/limits";
import { isAcct } from "../protocol/names";
import { integer, list, nullable, optional, struct, text, type Shaped } from "../protocol/shape";
import { readContainer, readPayload, requireSigner, writeContainer } from "./container";
import type { SigningKey } from "./signing";
import { isSuccession } from "./successions";

const encryptionKey = struct({ id: text(), recipient: text(), from: integer(), until: integer() });
const recordFields = struct({
  acct: text(),
  rev: integer(1),
  sign: text(),
  sign_alg: text(),
  enc: list(encryptionKey),
  prev: nullable(text()),
  created: integer(),
  until: integer(),
  succession: optional(text()),
});

/** A public encryption recipient (`age1pq1…`) and the time in which senders use it. */
export type EncryptionKey = Shaped<typeof encryptionKey>;
export type RecordFields = Shaped<typeof recordFields>;

/** A record that is right in itself: form, signature, validity. Whose it is, its chain and a pin decide. */
export interface AccountRecord {
  readonly fields: RecordFields;
  readonly acct: string;
  readonly rev: number;
  /** The signing public key. */
  readonly sign: Uint8Array;
  /** What the next record's `prev` must be. */
  readonly sha256: string;
  readonly raw: Uint8Array;
}

const ALGORITHM = "ed25519";
const RECIPIENT = /^age1pq1[02-9ac-hj-np-z]{1952}$/;
const ENC_ID = /^[a-z0-9_]{1,64}$/;

/** Reads a record and checks all that can be checked without its history. @throws ProtocolError */
export function readRecord(data: Uint8Array): AccountRecord {
  const box = readContainer(data, "account", RECORD_BYTES);
  const signer = requireSigner(box);
  const fields = readPayload(box, recordFields);
  if (fields.sign_alg !== ALGORITHM) throw new ProtocolError("needs-newer-version", "signature algorithm");
  if (fields.sign !== b64(signer)) throw new ProtocolError("record-not-self-signed");
  checkFields(fields);
  return { fields, acct: fields.acct, rev: fields.rev, sign: signer, sha256: b64(sha256(data)), raw: data };
}

/** Reads what must be the first record of a chain. @throws ProtocolError */
export function checkFirst(data: Uint8Array): AccountRecord {
  const record = readRecord(data);
  if (record.rev !== 1) throw new ProtocolError("record-chain-broken");
  return record;
}

/** Reads a record and checks that it is the next one after `previous`. @throws ProtocolError */
export function checkSuccessor(previous: Uint8Array, following: Uint8Array): AccountRecord {
  const [old, next] = [readRecord(previous), readRecord(following)];
  if (next.acct !== old.acct) throw new ProtocolError("record-other-account");
  if (next.rev <= old.rev) throw new ProtocolError("record-rollback");
  if (next.rev !== old.rev + 1 || next.fields.prev !== old.sha256) throw new ProtocolError("record-chain-broken");
  checkKey(old, next);
  return next;
}

/** Reads a whole history, oldest first, and returns the last record. @throws ProtocolError */
export function checkHistory(acct: string, history: readonly Uint8Array[]): AccountRecord {
  const [first, ...following] = history;
  if (!first) throw new ProtocolError("record-chain-broken");
  let last = checkFirst(first);
  for (const data of following) last = checkSuccessor(last.raw, data);
  if (last.acct !== acct) throw new ProtocolError("record-other-account");
  return last;
}

/** The last record of an account, of a chain that need not lead from the pinned key. @throws ProtocolError record-… */
export function lastRecord(acct: string, history: readonly Uint8Array[]): AccountRecord {
  const last = readRecord(history.at(-1) ?? new Uint8Array(0));
  if (last.acct !== acct) throw new ProtocolError("record-other-account");
  return last;
}

/** Signs the first record, or the one after `previous`, valid for 400 days; a new signing key needs a succession. */
export function buildRecord(
  key: SigningKey,
  acct: string,
  enc: readonly EncryptionKey[],
  options: { nowMs: number; previous?: AccountRecord; succession?: Uint8Array },
): Uint8Array<ArrayBuffer> {
  const { nowMs, previous, succession } = options;
  const fields: RecordFields = {
    acct,
    rev: previous ? previous.rev + 1 : 1,
    sign: b64(key.public),
    sign_alg: ALGORITHM,
    enc,
    prev: previous ? previous.sha256 : null,
    created: nowMs,
    until: nowMs + RECORD_VALID_MS,
    ...(succession && { succession: b64(succession) }),
  };
  return writeContainer("account", fields, key);
}

/** Tells that the account has not renewed its record: quiet information, not an alarm. */
export function isExpired(record: AccountRecord, nowMs: number): boolean {
  return nowMs >= record.fields.until;
}

/** Chooses where to encrypt to: the valid key that began last; if none is valid, the one that began last. */
export function currentRecipient(record: AccountRecord, nowMs: number): string {
  return latest(record.fields.enc, (key) => key.from <= nowMs && nowMs < key.until).recipient;
}

/** Returns, of those that are valid or else of all, the entry that began last. */
export function latest<T extends { id: string; from: number }>(
  entries: readonly T[],
  isValid: (entry: T) => boolean,
): T {
  const begun = entries.filter(isValid);
  return (begun.length ? begun : entries).reduce((best, entry) => {
    const later = entry.from > best.from || (entry.from === best.from && entry.id > best.id);
    return later ? entry : best;
  });
}

function checkKey(old: AccountRecord, next: AccountRecord): void {
  const { succession } = next.fields;
  if (equalBytes(next.sign, old.sign)) {
    if (succession !== undefined) throw new ProtocolError("succession-bad");
    return;
  }
  if (succession === undefined) throw new ProtocolError("record-key-changed");
  if (!isSuccession(succession, next.acct, old.sign, next.sign)) throw new ProtocolError("succession-bad");
}

function checkFields(fields: RecordFields): void {
  if (!isAcct(fields.acct)) throw new ProtocolError("record-malformed", "acct");
  const valid = fields.until - fields.created;
  if (valid <= 0 || valid > RECORD_VALID_MS) throw new ProtocolError("record-validity");
  const isFirst = fields.rev === 1;
  if (isFirst !== (fields.prev === null) || (isFirst && fields.succession !== undefined)) {
    throw new ProtocolError("record-malformed", "prev and rev");
  }
  if (fields.prev !== null && !isB64(fields.prev, 32)) throw new ProtocolError("record-malformed", "prev");
  const ids = new Set(fields.enc.map((key) => key.id));
  if (ids.size === 0 || ids.size !== fields.enc.length) throw new ProtocolError("record-malformed", "enc");
  for (const key of fields.enc) {
    if (!ENC_ID.test(key.id) || !RECIPIENT.test(key.recipient) || key.until <= key.from) {
      throw new ProtocolError("record-malformed", "an encryption key");
    }
  }
}
