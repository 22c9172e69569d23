// Reading `video.age` at any place, for seeking: only whole, verified parts are ever decrypted.

import { concat } from "../protocol/encoding";
import { ProtocolError } from "../protocol/errors";
import { PART_BYTES } from "../protocol/limits";
import { AgeError, openHeader, type OpenedHeader } from "./age";
import type { Manifest } from "./parts";
import { CHUNK_BYTES, Layout } from "./layout";

/** The encrypted file; `read` returns exactly that many bytes, fewer only where the file ends too early. */
export interface VideoSource {
  readonly size: number;
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** An opened video: the MP4 with its padding. */
export interface OpenVideo {
  /** How many bytes the MP4 has; proved once the end was read. */
  readonly plainSize: number;
  /** Returns that slice of the MP4; opens the last chunk first when the slice reaches the end. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Streams the MP4 from `offset` on; closes only after the authentic final chunk. */
  stream(offset?: number): ReadableStream<Uint8Array>;
  /** Opens the last chunk, so that `plainSize` can be relied upon. */
  verifyEnd(): Promise<void>;
}

const KEPT_PARTS = 4;

export class VideoReader implements OpenVideo {
  readonly #layout: Layout;
  #endVerified = false;
  #kept: { number: number; plaintext: Uint8Array } | null = null;

  private constructor(
    private readonly parts: VerifiedParts,
    private readonly header: OpenedHeader,
  ) {
    this.#layout = new Layout(parts.size - header.start);
  }

  static async open(messageKey: string, source: VideoSource, manifest: Manifest): Promise<VideoReader> {
    const parts = new VerifiedParts(source, manifest);
    return named(
      async () => new VideoReader(parts, await openHeader(await parts.part(0), [messageKey], { stanzas: 1 })),
    );
  }

  get plainSize(): number {
    return this.#layout.plainSize;
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (offset < 0 || length < 0) throw new RangeError("offset and length are not negative");
    if (offset + length >= this.plainSize) await this.verifyEnd();
    const end = Math.min(offset + length, this.plainSize);
    const pieces: Uint8Array[] = [];
    for (let at = offset; at < end; at += pieces.at(-1)?.length ?? 0) {
      const number = Math.floor(at / CHUNK_BYTES);
      const chunk = await this.#chunk(number);
      pieces.push(chunk.subarray(at - number * CHUNK_BYTES, end - number * CHUNK_BYTES));
    }
    return concat(...pieces);
  }

  stream(offset = 0): ReadableStream<Uint8Array> {
    let number = Math.floor(offset / CHUNK_BYTES);
    let skipped = offset % CHUNK_BYTES;
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        if (number >= this.#layout.count) {
          await this.verifyEnd();
          controller.close();
          return;
        }
        const chunk = await this.#chunk(number);
        this.parts.prepare(this.#absolute(number).to);
        controller.enqueue(chunk.slice(skipped)); // the receiver may transfer it
        skipped = 0;
        number++;
      },
    });
  }

  async verifyEnd(): Promise<void> {
    if (!this.#endVerified) await this.#open(this.#layout.count - 1);
  }

  async #chunk(number: number): Promise<Uint8Array> {
    if (this.#kept?.number === number) return this.#kept.plaintext;
    return this.#open(number);
  }

  async #open(number: number): Promise<Uint8Array> {
    const { from, to } = this.#absolute(number);
    const plaintext = await named(async () => {
      const sealed = await this.parts.read(from, to);
      if (number < this.#layout.count - 1) return this.header.cipher.open(number, sealed);
      const last = this.header.cipher.openLast(number, sealed);
      this.#endVerified = true;
      return last;
    });
    this.#kept = { number, plaintext };
    return plaintext;
  }

  #absolute(number: number): { from: number; to: number } {
    const { from, to } = this.#layout.span(number);
    return { from: this.header.start + from, to: this.header.start + to };
  }
}

/** Turns reads of any range into fetches of whole parts whose hashes are checked; each is asked for once at a time. */
class VerifiedParts {
  readonly #kept = new Map<number, Promise<Uint8Array>>();

  constructor(
    private readonly source: VideoSource,
    private readonly manifest: Manifest,
  ) {}

  get size(): number {
    return this.manifest.size;
  }

  async read(from: number, to: number): Promise<Uint8Array> {
    const first = Math.floor(from / PART_BYTES);
    const last = Math.floor((to - 1) / PART_BYTES);
    const pieces: Uint8Array[] = [];
    for (let index = first; index <= last; index++) {
      const part = await this.part(index);
      pieces.push(part.subarray(Math.max(0, from - index * PART_BYTES), to - index * PART_BYTES));
    }
    return pieces.length === 1 && pieces[0] ? pieces[0] : concat(...pieces);
  }

  part(index: number): Promise<Uint8Array> {
    const kept = this.#kept.get(index) ?? this.#fetch(index);
    this.#kept.delete(index); // so that it goes to the end: the map is in order of last use
    this.#kept.set(index, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT_PARTS && oldest !== undefined) this.#kept.delete(oldest);
    return kept;
  }

  /** Begins to fetch the part that follows, so that a stream need not wait for it. */
  prepare(offset: number): void {
    const index = Math.floor(offset / PART_BYTES) + 1;
    if (index < this.manifest.sha256.length) this.part(index).catch(() => undefined); // its reader will ask again
  }

  #fetch(index: number): Promise<Uint8Array> {
    const fetching = this.source.read(index * PART_BYTES, this.manifest.partSize(index)).then(async (part) => {
      await this.manifest.check(index, part);
      return part;
    });
    fetching.catch(() => {
      if (this.#kept.get(index) === fetching) this.#kept.delete(index);
    });
    return fetching;
  }
}

async function named<T>(reading: () => Promise<T>): Promise<T> {
  try {
    return await reading();
  } catch (error) {
    throw asVideoError(error);
  }
}

/** Names age's refusals: signed bytes that do not open are the sender's fault. */
export function asVideoError(error: unknown): unknown {
  if (!(error instanceof AgeError)) return error;
  return new ProtocolError(error.fault === "truncated" ? "video-cut-off" : "video-damaged", error.message);
}
