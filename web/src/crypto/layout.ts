// Where the chunks of an age payload stand. Without the ciphers, so that a page's first load stays small.

import { AgeError } from "./age-error";

export const NONCE_BYTES = 16;
export const CHUNK_BYTES = 64 * 1024;
export const TAG_BYTES = 16;
/** Size of every chunk but the final one. */
export const SEALED_BYTES = CHUNK_BYTES + TAG_BYTES;

/** Where the chunks of a payload of so many bytes (after the nonce) stand. */
export class Layout {
  readonly count: number;
  readonly plainSize: number;

  /** @throws AgeError truncated, when no file has this size */
  constructor(readonly sealedSize: number) {
    this.count = Math.ceil(sealedSize / SEALED_BYTES);
    this.plainSize = sealedSize - this.count * TAG_BYTES;
    const last = sealedSize - (this.count - 1) * SEALED_BYTES;
    if (sealedSize < TAG_BYTES || (this.count > 1 && last <= TAG_BYTES))
      throw new AgeError("truncated", "no file has this size");
  }

  /** Returns where a sealed chunk begins and ends. */
  span(number: number): { from: number; to: number } {
    const from = number * SEALED_BYTES;
    return { from, to: Math.min(from + SEALED_BYTES, this.sealedSize) };
  }
}

/** Returns the size of nonce and chunks for so many bytes of plaintext. */
export function sealedSize(plainSize: number): number {
  return NONCE_BYTES + plainSize + TAG_BYTES * Math.max(1, Math.ceil(plainSize / CHUNK_BYTES));
}
