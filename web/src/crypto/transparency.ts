// What a client does with the server's log of account records: it believes the first checkpoint, and from then on only what
// continues it (docs/protocol/transparency.md). Notes are those of https://c2sp.org/signed-note.

import { sha256 } from "@noble/hashes/sha2.js";
import { concat, equalBytes, utf8 } from "../protocol/encoding";
import { ProtocolError } from "../protocol/errors";
import {
  consistencyProof,
  EMPTY_ROOT,
  HASH_BYTES,
  inclusionProof,
  isContinuation,
  isIncluded,
  leafHash,
} from "./merkle";
import { KEY_BYTES, SIGNATURE_BYTES, verify } from "./signing";
import { tileNodes, type Fetch } from "./tiles";

/** What is kept of a log: the key that signs it, and the last checkpoint that was believed, both as text. */
export interface KeptLog {
  readonly key: string;
  readonly note: string;
  /** Verifier keys of the witnesses who must have signed, too. */
  readonly witnesses?: readonly string[];
}

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
}

/** A record as the server shows it, and where it says that it stands in its log. */
export interface LoggedRecord {
  readonly acct: string;
  readonly record: Uint8Array;
  readonly leaf: number;
}

interface NoteKey {
  readonly name: string;
  readonly id: Uint8Array;
  readonly public: Uint8Array;
  readonly kind: number;
}

const ED25519 = 1;
/** With the time before it: https://c2sp.org/tlog-cosignature. */
const COSIGNATURE = 4;
const ID_BYTES = 4;
const TIME_BYTES = 8;
const NOTE_CHARS = 65_536;
const SIZE = /^(?:0|[1-9][0-9]{0,15})$/;
const NAME = /^[^\s+]{1,256}$/;
// eslint-disable-next-line no-control-regex -- notes have none of them but the line feed
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;

/** What a server's log is called, and its key. */
export function originOf(acct: string): string {
  return `${acct.slice(acct.indexOf("@") + 1)}/tlog`;
}

/** What the log says of a record: two hashes, so that who reads it learns no name that they cannot guess. */
export function entryOf(acct: string, record: Uint8Array): Uint8Array {
  return concat(sha256(utf8(`restante/1 log\0${acct}`)), sha256(record));
}

/** Opens what was kept. @throws ProtocolError */
export function openKept({ key, note }: KeptLog): Checkpoint {
  return readCheckpoint(signedText(note, readKey(key, ED25519)));
}

/** The names of witnesses by their verifier keys, one key on each line. @throws ProtocolError log-malformed */
export function witnessesOf(lines: string): ReadonlyMap<string, string> {
  const keys = lines.split("\n").filter((line) => line !== "");
  return new Map(keys.map((key) => [key, readKey(key, COSIGNATURE).name]));
}

/** Checks that each of these witnesses has signed the checkpoint. @throws ProtocolError log-unwitnessed */
export function checkWitnessed(note: string, witnesses: readonly string[]): void {
  for (const witness of witnesses) {
    const key = readKey(witness, COSIGNATURE);
    try {
      signedText(note, key);
    } catch {
      throw new ProtocolError("log-unwitnessed", key.name);
    }
  }
}

/** Fetches the newest checkpoint and checks that it continues the one kept. @throws ProtocolError log-… */
export async function followLog(kept: KeptLog | null, origin: string, fetch: Fetch): Promise<KeptLog> {
  const key = text(await fetch("key")).trim();
  if (kept && kept.key !== key) throw new ProtocolError("log-key-changed");
  const note = text(await fetch("checkpoint"));
  const known = readKey(key, ED25519);
  const checkpoint = readCheckpoint(signedText(note, known));
  if (checkpoint.origin !== origin || known.name !== origin) throw malformed("another log's checkpoint");
  const witnesses = kept?.witnesses ?? [];
  checkWitnessed(note, witnesses);
  if (kept) await checkContinues(openKept(kept), checkpoint, fetch);
  return { key, note, witnesses };
}

/** Checks that records stand at their places in the log. @throws ProtocolError log-omission, log-malformed */
export async function checkLogged(
  { size, root }: Checkpoint,
  records: readonly LoggedRecord[],
  fetch: Fetch,
): Promise<void> {
  const nodes = tileNodes(size, fetch);
  for (const { acct, record, leaf } of records) {
    if (!(Number.isSafeInteger(leaf) && leaf >= 0 && leaf < size)) throw new ProtocolError("log-omission");
    const proof = await inclusionProof(leaf, size, nodes);
    if (!isIncluded(leafHash(entryOf(acct, record)), leaf, size, proof, root)) throw new ProtocolError("log-omission");
  }
}

async function checkContinues(old: Checkpoint, next: Checkpoint, fetch: Fetch): Promise<void> {
  if (next.size < old.size) throw new ProtocolError("log-rollback");
  const isLonger = old.size > 0 && old.size < next.size;
  const proof = isLonger ? await consistencyProof(old.size, next.size, tileNodes(next.size, fetch)) : [];
  if (!isContinuation({ old, next }, proof)) throw new ProtocolError("log-forked");
}

function readCheckpoint(signed: string): Checkpoint {
  const [origin = "", size = "", root = "", ...rest] = signed.split("\n");
  const checkpoint = { origin, size: Number(size), root: base64(root) };
  const isWhole = origin !== "" && SIZE.test(size) && Number.isSafeInteger(checkpoint.size) && rest.length > 0;
  if (!isWhole || checkpoint.root.length !== HASH_BYTES) throw malformed("a checkpoint");
  if (checkpoint.size === 0 && !equalBytes(checkpoint.root, EMPTY_ROOT)) throw malformed("a checkpoint");
  return checkpoint;
}

function readKey(written: string, kind: number): NoteKey {
  const [name = "", id = "", ...encoded] = written.split("+");
  const data = base64(encoded.join("+"));
  if (!NAME.test(name) || data.length !== 1 + KEY_BYTES || data[0] !== kind) throw malformed("a verifier key");
  const expected = sha256(concat(utf8(`${name}\n`), data)).subarray(0, ID_BYTES);
  const hex = Array.from(expected, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (hex !== id) throw malformed("a verifier key");
  return { name, id: expected, public: data.subarray(1), kind };
}

/** The text of a note, if each signature of this key, and at least one, is right. */
function signedText(note: string, key: NoteKey): string {
  const gap = note.lastIndexOf("\n\n");
  if (gap < 0 || !note.endsWith("\n") || note.length > NOTE_CHARS || CONTROL.test(note)) throw malformed("a note");
  const signed = note.slice(0, gap + 1);
  const lines = note.slice(gap + 2, -1).split("\n");
  const found = lines.map(signature).filter(({ name, id }) => name === key.name && equalBytes(id, key.id));
  if (found.length === 0) throw new ProtocolError("log-signature");
  for (const { bytes } of found) {
    if (key.kind === ED25519) checkSignature(key, bytes, signed);
    else checkSignature(key, bytes.subarray(TIME_BYTES), `cosignature/v1\ntime ${secondsOf(bytes)}\n${signed}`);
  }
  return signed;
}

function signature(line: string): { name: string; id: Uint8Array; bytes: Uint8Array } {
  const [dash, name = "", encoded = "", ...rest] = line.split(" ");
  const data = base64(encoded);
  if (dash !== "\u2014" || !NAME.test(name) || rest.length > 0 || data.length <= ID_BYTES)
    throw malformed("a signature");
  return { name, id: data.subarray(0, ID_BYTES), bytes: data.subarray(ID_BYTES) };
}

/** When a witness signed: eight bytes, the first is the highest. */
function secondsOf(bytes: Uint8Array): bigint {
  return bytes.subarray(0, TIME_BYTES).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function checkSignature(key: NoteKey, bytes: Uint8Array, signed: string): void {
  try {
    if (bytes.length !== SIGNATURE_BYTES) throw malformed("a signature");
    verify(key.public, bytes, utf8(signed));
  } catch {
    throw new ProtocolError("log-signature");
  }
}

function text(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed("a note");
  }
}

/** Standard base64 in its one canonical form. */
function base64(encoded: string): Uint8Array {
  try {
    const binary = atob(encoded);
    if (btoa(binary) === encoded) return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  } catch {
    // neither
  }
  throw malformed("base64");
}

function malformed(what: string): ProtocolError {
  return new ProtocolError("log-malformed", what);
}
