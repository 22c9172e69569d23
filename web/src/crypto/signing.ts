// Ed25519 signing keys, strict verification (RFC 8032) and fingerprints (docs/protocol/conventions.md, "Ed25519").
//
// Always the same library, never the browser's own Ed25519: engines differ in what they accept at the edges
// (cofactor, small order, S not reduced), and all clients have to accept the same.

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import { b64, concat, equalBytes, utf8 } from "../protocol/encoding";
import { ProtocolError } from "../protocol/errors";
import { randomBytes } from "../protocol/ids";

export const KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

const { Point } = ed25519;
const P = 2n ** 255n - 19n;
const Y_ORDER_8 = 2707385501144840649318225287225658788936804267575313519463743609750303402022n;
const SMALL_ORDER_Y: ReadonlySet<bigint> = new Set([0n, 1n, P - 1n, Y_ORDER_8, P - Y_ORDER_8]);

/** An account's signing key. */
export interface SigningKey {
  readonly seed: Uint8Array;
  readonly public: Uint8Array;
}

export function signingKey(seed: Uint8Array): SigningKey {
  if (seed.length !== KEY_BYTES) throw new RangeError("a seed has 32 bytes");
  return { seed, public: ed25519.getPublicKey(seed) };
}

export function newSigningKey(): SigningKey {
  return signingKey(randomBytes(KEY_BYTES));
}

export function sign(key: SigningKey, message: Uint8Array): Uint8Array {
  return ed25519.sign(message, key.seed);
}

/** Refuses what is not a canonical key of large order. @throws ProtocolError signing-key-bad */
export function checkPublic(key: Uint8Array): void {
  if (key.length !== KEY_BYTES) throw new ProtocolError("signing-key-bad");
  const y = littleEndian(key) & (2n ** 255n - 1n);
  if (y >= P || SMALL_ORDER_Y.has(y)) throw new ProtocolError("signing-key-bad");
}

/** Verifies: the encoding of S·B − k·A is R, without cofactor. @throws ProtocolError signing-key-bad, signature-bad */
export function verify(key: Uint8Array, signature: Uint8Array, message: Uint8Array): void {
  checkPublic(key);
  const r = signature.subarray(0, KEY_BYTES);
  const s = littleEndian(signature.subarray(KEY_BYTES));
  if (signature.length !== SIGNATURE_BYTES || s >= Point.Fn.ORDER) throw new ProtocolError("signature-bad");
  const k = littleEndian(sha512(concat(r, key, message))) % Point.Fn.ORDER;
  const expected = Point.BASE.multiplyUnsafe(s).subtract(pointOf(key).multiplyUnsafe(k)).toBytes();
  if (!equalBytes(expected, r)) throw new ProtocolError("signature-bad");
}

/** Writes the fingerprint of a public key: 22 characters. */
export function fp(key: Uint8Array): string {
  return b64(sha256(concat(utf8("restante/1 fp\0"), key)).subarray(0, 16));
}

function pointOf(key: Uint8Array) {
  try {
    return Point.fromBytes(key);
  } catch {
    throw new ProtocolError("signature-bad", "the key is not on the curve"); // where it is, only arithmetic tells
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n);
}
