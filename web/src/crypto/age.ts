// age, version 1 (C2SP age.md): files sealed to public keys, in binary form. The only importer of age-encryption.
//
// Headers are the library's. The payload is opened by payload.ts, because the library reads neither at any place
// nor tells a cut file from a damaged one.

import { Decrypter, Encrypter, identityToRecipient, type Identity as Unwrapper, type Stanza } from "age-encryption";
import { x25519 } from "@noble/curves/ed25519.js";
import { bech32 } from "@scure/base";
import { concat } from "../protocol/encoding";
import { randomBytes } from "../protocol/ids";
import { AgeError } from "./age-error";
import { NONCE_BYTES } from "./layout";
import { ChunkCipher, openPayload } from "./payload";

export { AgeError, type AgeFault } from "./age-error";

/** A private key: `AGE-SECRET-KEY-1…`, `AGE-SECRET-KEY-PQ-1…`, or a non-extractable X25519 key. */
export type Identity = string | CryptoKey;

/** What is known after the header: how to open chunks, and where they begin. */
export interface OpenedHeader {
  readonly cipher: ChunkCipher;
  /** Offset of the first chunk. */
  readonly start: number;
}

const KEY_BYTES = 32;
const HEADER_BYTES = 256 * 1024;
/** Three hyphens, a space, 32 bytes in base64. */
const MAC_LINE_CHARS = 47;
const X25519_PREFIX = "age-secret-key-";
const HYBRID_PREFIX = "age-secret-key-pq-";
const encodings = { [X25519_PREFIX]: "AGE-SECRET-KEY-1", [HYBRID_PREFIX]: "AGE-SECRET-KEY-PQ-1" } as const;

export function newX25519Identity(): string {
  return identityFromBytes(randomBytes(KEY_BYTES));
}

export function newHybridIdentity(): string {
  return written(HYBRID_PREFIX, randomBytes(KEY_BYTES)).toUpperCase();
}

/** Takes 32 bytes that are as hard to guess as random ones, such as the output of a key derivation. */
export function identityFromBytes(key: Uint8Array): string {
  if (key.length !== KEY_BYTES) throw new AgeError("bad-key");
  return written(X25519_PREFIX, key).toUpperCase();
}

/** Returns the public half: `age1…` or `age1pq1…`. */
export async function recipientOf(identity: Identity): Promise<string> {
  try {
    return await identityToRecipient(identity);
  } catch {
    throw new AgeError("bad-key");
  }
}

/** Refuses what is not the one spelling of an `AGE-SECRET-KEY-1…`. @throws AgeError */
export function checkX25519Identity(text: string): void {
  checkIdentity(text, X25519_PREFIX);
}

/** Refuses what is not the one spelling of an `AGE-SECRET-KEY-PQ-1…`. @throws AgeError */
export function checkHybridIdentity(text: string): void {
  checkIdentity(text, HYBRID_PREFIX);
}

/** Refuses what is not the one spelling of an `age1…`, or a point of low order. @throws AgeError */
export function checkX25519Recipient(text: string): void {
  const key = decoded("age", text);
  try {
    // Clamping makes every scalar a multiple of the cofactor, so any one finds out every point of low order.
    x25519.getSharedSecret(new Uint8Array(KEY_BYTES).fill(1), key);
  } catch {
    throw new AgeError("bad-key", "a point of low order: anybody could open what it seals");
  }
}

/** Seals bytes to recipients of one type. @throws AgeError */
export async function seal(plaintext: Uint8Array, recipients: readonly string[]): Promise<Uint8Array<ArrayBuffer>> {
  return concat(await encrypterTo(recipients).encrypt(plaintext));
}

/**
 * Seals a stream; a chunk of 64 KiB comes out when the byte after it is known. Never resumable.
 *
 * `check` sees every piece of plaintext before it is sealed, and ends the stream by throwing.
 */
export function sealStream(
  recipient: Promise<string>,
  check: (piece: Uint8Array) => void,
): TransformStream<Uint8Array, Uint8Array> {
  const plaintext = new TransformStream<Uint8Array, Uint8Array>({
    transform(piece, controller) {
      check(piece);
      controller.enqueue(piece);
    },
  });
  const sealed = new TransformStream<Uint8Array, Uint8Array>();
  recipient
    .then((text) => encrypterTo([text]).encrypt(plaintext.readable))
    .then((stream) => stream.pipeTo(sealed.writable))
    .catch((reason: unknown) => sealed.writable.abort(reason))
    .catch(() => undefined); // both ends were told already
  return { writable: plaintext.writable, readable: sealed.readable };
}

/** Opens a whole file; `stanzas` demands that many in the header. @throws AgeError */
export async function unseal(
  sealed: Uint8Array,
  identities: readonly Identity[],
  { stanzas }: { stanzas?: number } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { cipher, start } = await openHeader(sealed, identities, stanzas === undefined ? {} : { stanzas });
  return concat(...openPayload(cipher, sealed.subarray(start)));
}

/** Opens the header that stands, with the nonce behind it, at the beginning of these bytes. @throws AgeError */
export async function openHeader(
  head: Uint8Array,
  identities: readonly Identity[],
  { stanzas }: { stanzas?: number } = {},
): Promise<OpenedHeader> {
  const size = headerSize(head);
  const fileKey = await unwrapFileKey(head.subarray(0, size), identities, stanzas);
  const start = size + NONCE_BYTES;
  if (head.length < start) throw new AgeError("header", "the file ends before its payload");
  return { cipher: new ChunkCipher(fileKey, head.subarray(size, start)), start };
}

async function unwrapFileKey(header: Uint8Array, identities: readonly Identity[], stanzas: number | undefined) {
  const decrypter = new Decrypter();
  decrypter.addIdentity(guard(stanzas));
  try {
    for (const identity of identities) decrypter.addIdentity(identity);
  } catch {
    throw new AgeError("bad-key");
  }
  decrypter.addIdentity(noMatch);
  try {
    return await decrypter.decryptHeader(header);
  } catch (error) {
    // The library refuses by plain errors, malformed stanzas and low shares by errors of what it calls.
    throw error instanceof AgeError ? error : new AgeError("header", "malformed or altered");
  }
}

/** Stands before the identities: sees the stanzas, opens none. */
function guard(demanded: number | undefined): Unwrapper {
  return {
    unwrapFileKey(stanzas: Stanza[]) {
      if (demanded !== undefined && stanzas.length !== demanded) {
        throw new AgeError("header", `${stanzas.length} stanzas where ${demanded} are expected`);
      }
      if (stanzas.length > 1 && stanzas.some((stanza) => stanza.args[0] === "scrypt")) {
        throw new AgeError("header", "a passphrase's stanza must be alone");
      }
      return null;
    },
  };
}

/** Stands behind the identities. */
const noMatch: Unwrapper = {
  unwrapFileKey() {
    throw new AgeError("no-match", "no identity opens this file");
  },
};

/** Finds where the header ends: behind the first line that begins with three hyphens, which base64 has not. */
function headerSize(head: Uint8Array): number {
  const limit = Math.min(head.length, HEADER_BYTES);
  for (let at = head.indexOf(0x0a); at >= 0 && at < limit; at = head.indexOf(0x0a, at + 1)) {
    if (head[at + 1] === 0x2d && head[at + 2] === 0x2d && head[at + 3] === 0x2d) {
      const end = head.indexOf(0x0a, at + 1);
      if (end === at + 1 + MAC_LINE_CHARS) return end + 1;
      break;
    }
  }
  throw new AgeError("header", "not an age file, or cut off inside its header");
}

function encrypterTo(recipients: readonly string[]): Encrypter {
  const kinds = new Set(recipients.map((recipient) => recipient.startsWith("age1pq1")));
  if (kinds.size !== 1) throw new AgeError("bad-key", "one recipient at least, all of one type");
  const encrypter = new Encrypter();
  try {
    for (const recipient of recipients) encrypter.addRecipient(recipient);
  } catch {
    throw new AgeError("bad-key");
  }
  return encrypter;
}

function checkIdentity(text: string, prefix: keyof typeof encodings): void {
  if (!text.startsWith(encodings[prefix]) || text !== text.toUpperCase()) throw new AgeError("bad-key");
  decoded(prefix, text.toLowerCase());
}

function decoded(prefix: string, text: string): Uint8Array {
  let found: { prefix: string; bytes: Uint8Array };
  try {
    found = bech32.decodeToBytes(text);
  } catch {
    throw new AgeError("bad-key");
  }
  if (found.prefix !== prefix || found.bytes.length !== KEY_BYTES || written(prefix, found.bytes) !== text) {
    throw new AgeError("bad-key");
  }
  return found.bytes;
}

function written(prefix: string, bytes: Uint8Array): string {
  return bech32.encodeFromBytes(prefix, bytes);
}
