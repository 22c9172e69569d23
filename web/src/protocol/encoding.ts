// Binary in text: base64url without padding (RFC 4648 section 5), strict in what it accepts.

const ALPHABET = /^[A-Za-z0-9_-]*$/;
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";
const SLICE = 0x8000;

const encoder = new TextEncoder();

/** Writes text as UTF-8. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** Writes bytes as base64url without padding. */
export function b64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += SLICE) {
    binary += String.fromCharCode(...bytes.subarray(at, at + SLICE));
  }
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * Reads base64url without padding; `size` is the exact number of bytes expected.
 *
 * Every value has exactly one spelling: padding, foreign characters and loose bits are refused.
 * @throws RangeError
 */
export function unb64(text: string, size?: number): Uint8Array<ArrayBuffer> {
  if (!ALPHABET.test(text) || text.length % 4 === 1) throw new RangeError("not base64url without padding");
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  if (b64(bytes) !== text) throw new RangeError("not canonical base64url");
  if (size !== undefined && bytes.length !== size) {
    throw new RangeError(`${bytes.length} bytes where ${size} are expected`);
  }
  return bytes;
}

/** Tells whether the text is the base64url of so many bytes. */
export function isB64(text: string, size: number): boolean {
  try {
    unb64(text, size);
    return true;
  } catch {
    return false;
  }
}

/** Writes bytes as lower-case base32 without padding. */
export function base32(bytes: Uint8Array): string {
  let text = "";
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) text += BASE32.charAt((held >> (bits - 5)) & 31);
  }
  return bits ? text + BASE32.charAt((held << (5 - bits)) & 31) : text;
}

export function concat(...pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

/** Orders bytes as a dictionary does. */
export function compareBytes(one: Uint8Array, other: Uint8Array): number {
  const shorter = Math.min(one.length, other.length);
  for (let at = 0; at < shorter; at++) {
    const difference = (one[at] as number) - (other[at] as number);
    if (difference !== 0) return difference;
  }
  return one.length - other.length;
}

export function equalBytes(one: Uint8Array, other: Uint8Array): boolean {
  return compareBytes(one, other) === 0;
}
