// `video.age` (docs/protocol/video.md): sealed while it is made; opened in sequence or at any place, each part
// verified before any of it is decrypted.

import { ProtocolError } from "../protocol/errors";
import { PART_BYTES } from "../protocol/limits";
import { newX25519Identity, openHeader, recipientOf, sealStream, type OpenedHeader } from "./age";
import { MAX_PLAIN_BYTES } from "./padding";
import { Manifest } from "./parts";
import { ChunkOpener } from "./payload";
import { asVideoError, VideoReader, type OpenVideo, type VideoSource } from "./video-reader";

export { filePadding, livePadding, videoSize, MAX_PLAIN_BYTES } from "./padding";
export { PartHasher } from "./parts";
export type { OpenVideo, VideoSource } from "./video-reader";

/** Makes the key of a message: `AGE-SECRET-KEY-1…`. */
export function newMessageKey(): string {
  return newX25519Identity();
}

/**
 * Seals an MP4 as it is made; what comes out can be uploaded at once. The caller ends it with `livePadding`.
 *
 * Never resumable: after a crash the plaintext is sealed again under a new message key. More than fits 64 MiB errors
 * with `video-too-large` before any of the piece that is too much is sealed.
 */
export function sealVideo(messageKey: string): TransformStream<Uint8Array, Uint8Array> {
  let plainBytes = 0;
  return sealStream(recipientOf(messageKey), (piece) => {
    plainBytes += piece.length;
    if (plainBytes > MAX_PLAIN_BYTES) throw new ProtocolError("video-too-large");
  });
}

/**
 * Opens a video for reading at any place; `parts` are the signed base64url SHA-256 of its parts.
 *
 * Errors of `source.read` pass through; everything else is a ProtocolError `video-…` (see `videoFailure`).
 */
export async function openVideo(messageKey: string, source: VideoSource, parts: readonly string[]): Promise<OpenVideo> {
  return VideoReader.open(messageKey, source, new Manifest(source.size, parts));
}

/** Sorts a failure of reading: `cut-off`, the end is missing; `damaged`, anything else that is not authentic. */
export function videoFailure(error: unknown): "cut-off" | "damaged" | null {
  if (!(error instanceof ProtocolError) || !error.code.startsWith("video-")) return null;
  return error.code === "video-cut-off" ? "cut-off" : "damaged";
}

/**
 * Opens a video from its beginning, as its bytes come in any cuts; holds at most one part.
 *
 * What `push` yields is what the sender signed. That it is all of it is known only when `finish` returns.
 */
export class VideoOpener {
  readonly #manifest: Manifest;
  #part = new Uint8Array(PART_BYTES);
  #filled = 0;
  #index = 0;
  #chunks: ChunkOpener | null = null;

  constructor(
    private readonly messageKey: string,
    size: number,
    parts: readonly string[],
  ) {
    this.#manifest = new Manifest(size, parts);
  }

  /** Takes the next bytes of the file, yields verified plaintext, often none. @throws ProtocolError */
  async *push(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    for (let rest = bytes; rest.length > 0;) {
      if (this.#index === this.#manifest.sha256.length) throw new ProtocolError("video-excess");
      const size = this.#manifest.partSize(this.#index);
      const head = rest.subarray(0, size - this.#filled);
      this.#part.set(head, this.#filled);
      this.#filled += head.length;
      rest = rest.subarray(head.length);
      if (this.#filled === size) yield* this.#openPart(this.#part.subarray(0, size));
    }
  }

  /** Returns the rest of the plaintext. @throws ProtocolError video-cut-off, or another when it is not whole */
  finish(): Uint8Array {
    if (this.#index < this.#manifest.sha256.length) throw new ProtocolError("video-cut-off", `part ${this.#index}`);
    try {
      return this.#whole().finish();
    } catch (error) {
      throw asVideoError(error);
    }
  }

  async *#openPart(part: Uint8Array): AsyncGenerator<Uint8Array> {
    await this.#manifest.check(this.#index, part);
    this.#filled = 0;
    this.#index++;
    try {
      yield* this.#chunks ? this.#chunks.push(part) : await this.#begin(part);
    } catch (error) {
      throw asVideoError(error);
    }
  }

  async #begin(part: Uint8Array): Promise<Generator<Uint8Array>> {
    const { cipher, start }: OpenedHeader = await openHeader(part, [this.messageKey], { stanzas: 1 });
    this.#chunks = new ChunkOpener(cipher);
    return this.#chunks.push(part.subarray(start));
  }

  #whole(): ChunkOpener {
    if (!this.#chunks) throw new ProtocolError("video-damaged", "it ends before its payload");
    return this.#chunks;
  }
}
