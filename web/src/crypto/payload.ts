// The payload of an age file: a nonce, then chunks of 64 KiB, each sealed with its number and a final mark.

import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, utf8 } from "../protocol/encoding";
import { AgeError } from "./age-error";
import { SEALED_BYTES } from "./layout";

/** Opens single chunks of one payload. */
export class ChunkCipher {
  readonly #key: Uint8Array;

  constructor(fileKey: Uint8Array, nonce: Uint8Array) {
    this.#key = hkdf(sha256, fileKey, nonce, utf8("payload"), 32);
  }

  /** Opens a chunk that others follow. @throws AgeError payload */
  open(number: number, sealed: Uint8Array): Uint8Array {
    return this.#opened(number, sealed, 0);
  }

  /** Opens a chunk of full size and tells whether it is the final one. @throws AgeError payload */
  openFull(number: number, sealed: Uint8Array): { plaintext: Uint8Array; final: boolean } {
    try {
      return { plaintext: this.open(number, sealed), final: false };
    } catch {
      return { plaintext: this.#opened(number, sealed, 1), final: true };
    }
  }

  /** Opens what stands at the end of the bytes. @throws AgeError truncated, where the file went on or may have */
  openLast(number: number, sealed: Uint8Array): Uint8Array {
    let plaintext: Uint8Array;
    try {
      plaintext = this.#opened(number, sealed, 1);
    } catch {
      if (sealed.length === SEALED_BYTES) this.open(number, sealed); // of a whole chunk damage and cut can be told apart
      throw new AgeError("truncated", "the file ends without an authentic final chunk");
    }
    if (number > 0 && plaintext.length === 0) throw new AgeError("payload", "the final chunk is empty");
    return plaintext;
  }

  #opened(number: number, sealed: Uint8Array, final: 0 | 1): Uint8Array {
    const nonce = new Uint8Array(12);
    new DataView(nonce.buffer).setUint32(7, number); // 2^32 chunks are more than any file here has
    nonce[11] = final;
    try {
      return chacha20poly1305(this.#key, nonce).decrypt(sealed);
    } catch {
      throw new AgeError("payload", `chunk ${number} is not authentic`);
    }
  }
}

/** Opens chunks as the bytes come. What was released stays authentic; complete is known when `finish` returns. */
export class ChunkOpener {
  #number = 0;
  #held: Uint8Array = new Uint8Array(0);
  #final = false;

  constructor(private readonly cipher: ChunkCipher) {}

  /** Yields the plaintext of every whole chunk. @throws AgeError payload, after what stands before it was yielded */
  *push(bytes: Uint8Array): Generator<Uint8Array> {
    let rest = this.#held.length ? concat(this.#held, bytes) : bytes;
    while (rest.length >= SEALED_BYTES) {
      if (this.#final) break;
      const { plaintext, final } = this.cipher.openFull(this.#number++, rest.subarray(0, SEALED_BYTES));
      this.#final = final;
      rest = rest.subarray(SEALED_BYTES);
      yield plaintext;
    }
    if (rest.length && this.#final) throw new AgeError("payload", "bytes follow the final chunk");
    this.#held = rest.slice();
  }

  /** Returns the rest. @throws AgeError truncated, unless the final chunk was there */
  finish(): Uint8Array {
    if (this.#final) return new Uint8Array(0);
    this.#final = true;
    return this.cipher.openLast(this.#number, this.#held);
  }
}

/** Opens a whole payload. @throws AgeError */
export function* openPayload(cipher: ChunkCipher, payload: Uint8Array): Generator<Uint8Array> {
  const opener = new ChunkOpener(cipher);
  yield* opener.push(payload);
  yield opener.finish();
}
