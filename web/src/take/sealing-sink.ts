/**
 * Where the encoder's bytes go: sealed into the spool, and what no sealed chunk holds yet into the side record. A write is
 * answered when its bytes would survive the death of this process, so that "kept" is true.
 */

import { livePadding, newMessageKey, PartHasher, sealVideo } from "../crypto/video";
import { sealSide } from "../storage/side";
import type { Spool } from "../storage/spool";

export { newMessageKey };

/** Header and nonce before the first chunk of a file with one X25519 stanza. */
export const START_BYTES = 168 + 16;
const CHUNK_BYTES = 64 * 1024;
const SEALED_BYTES = CHUNK_BYTES + 16;

export interface Sealing {
  size: number;
  sha256: string[];
}

export interface SealingOptions {
  id: string;
  messageKey: string;
  /** The draft's own key; without it no side record is written. */
  sideKey: CryptoKey | null;
  spool: Spool;
  /** So much of the spool is on the disk. */
  onSpooled: (bytes: number) => void;
}

export class SealingSink {
  /** For the encoder; stays open until `finish`. */
  readonly writable: WritableStream<Uint8Array>;
  readonly #options: SealingOptions;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #spooled: Promise<void>;
  readonly #hasher = new PartHasher();
  readonly #tail = new PlainTail();
  #sides = 0;

  constructor(options: SealingOptions) {
    this.#options = options;
    const seal = sealVideo(options.messageKey);
    this.#writer = seal.writable.getWriter();
    this.#spooled = this.#spool(seal.readable.getReader());
    this.#spooled.catch(() => undefined);
    this.writable = new WritableStream({ write: (bytes) => this.#take(bytes) });
  }

  /** Pads and seals the end. @throws StorageError, ProtocolError video-too-large */
  async finish(): Promise<Sealing> {
    await this.#through(this.#writer.write(livePadding(this.#tail.end)));
    await this.#through(this.#writer.close());
    await this.#spooled;
    return { size: this.#hasher.size, sha256: await this.#hasher.finish() };
  }

  async #take(bytes: Uint8Array): Promise<void> {
    this.#tail.push(bytes);
    await this.#through(this.#writer.write(bytes));
    if (this.#options.sideKey !== null) await this.#keepTail(this.#options.sideKey);
  }

  /** See [Note: Side record]. */
  async #keepTail(key: CryptoKey): Promise<void> {
    const chunks = Math.max(0, Math.floor((this.#options.spool.size - START_BYTES) / SEALED_BYTES));
    const { offset, plain } = this.#tail.from(chunks * CHUNK_BYTES);
    this.#sides += 1;
    const record = await sealSide(key, this.#options.id, { number: this.#sides, offset, plain });
    this.#options.spool.writeSide(record);
  }

  /** A spool that takes no more must not leave the encoder waiting for ever. */
  async #through(writing: Promise<void>): Promise<void> {
    const broken = this.#spooled.then(() => new Promise<never>(() => undefined));
    await Promise.race([writing, broken]);
  }

  async #spool(sealed: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    for (;;) {
      const { done, value } = await sealed.read();
      if (done) return;
      this.#options.spool.append(value);
      await this.#hasher.push(value);
      this.#options.onSpooled(this.#options.spool.size);
    }
  }
}

/** The end of the plaintext, from the last place that was asked for. */
class PlainTail {
  #pieces: Uint8Array[] = [];
  #begin = 0;
  end = 0;

  push(bytes: Uint8Array): void {
    this.#pieces.push(bytes.slice());
    this.end += bytes.length;
  }

  /** Forgets what stands before `offset`. */
  from(offset: number): { offset: number; plain: Uint8Array<ArrayBuffer> } {
    const plain = new Uint8Array(this.end - offset);
    let at = this.#begin - offset;
    for (const piece of this.#pieces) {
      if (at + piece.length > 0) plain.set(piece.subarray(Math.max(0, -at)), Math.max(0, at));
      at += piece.length;
    }
    this.#pieces = [plain];
    this.#begin = offset;
    return { offset, plain };
  }
}
