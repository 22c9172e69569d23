// Parts: the 262,144 bytes of `video.age` whose hashes the sender signs.

import { b64 } from "../protocol/encoding";
import { ProtocolError } from "../protocol/errors";
import { PART_BYTES } from "../protocol/limits";
import type { VideoDetails } from "./details";

/** What the sender signs of `video.age`: its size, and the base64url SHA-256 of each part. */
export class Manifest {
  constructor(
    readonly size: number,
    readonly sha256: readonly string[],
  ) {
    if (sha256.length !== Math.ceil(size / PART_BYTES)) throw new RangeError("one hash per part");
  }

  /** Returns the size of one part; only the last is shorter. */
  partSize(index: number): number {
    return Math.min(PART_BYTES, this.size - index * PART_BYTES);
  }

  /** Refuses a part that is not the signed one. @throws ProtocolError video-cut-off, video-part-swapped */
  async check(index: number, part: Uint8Array): Promise<void> {
    if (part.length < this.partSize(index)) throw new ProtocolError("video-cut-off", `part ${index}`);
    if ((await sha256Of(part)) !== this.sha256[index]) throw new ProtocolError("video-part-swapped", `part ${index}`);
  }
}

/** Puts together what the details say of a sealed video. */
export function describeVideo(
  sealed: { size: number; parts: readonly string[] },
  media: { type: string; ms: number; w: number; h: number },
): VideoDetails {
  const { type, ms, w, h } = media;
  return { size: sealed.size, part: PART_BYTES, sha256: sealed.parts, type, ms, w, h };
}

/** Hashes a file as it grows, in any cuts. Calls need not wait for each other. */
export class PartHasher {
  #size = 0;
  #part = new Uint8Array(PART_BYTES);
  readonly #hashes: Promise<string>[] = [];

  /** How many bytes were taken. */
  get size(): number {
    return this.#size;
  }

  /** Takes the next bytes of the file; what it returns settles when the parts that they completed are hashed. */
  async push(bytes: Uint8Array): Promise<void> {
    const before = this.#hashes.length;
    for (let rest = bytes; rest.length > 0;) {
      const at = this.#size % PART_BYTES;
      const head = rest.subarray(0, PART_BYTES - at);
      this.#part.set(head, at);
      this.#size += head.length;
      rest = rest.subarray(head.length);
      if (this.#size % PART_BYTES === 0) {
        this.#hashes.push(sha256Of(this.#part));
        this.#part = new Uint8Array(PART_BYTES);
      }
    }
    await Promise.all(this.#hashes.slice(before));
  }

  /** Returns the base64url SHA-256 of every part of what was taken so far. */
  async finish(): Promise<string[]> {
    const rest = this.#size % PART_BYTES;
    const tail = rest ? [sha256Of(this.#part.subarray(0, rest))] : [];
    return Promise.all([...this.#hashes, ...tail]);
  }
}

async function sha256Of(bytes: Uint8Array): Promise<string> {
  return b64(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>)));
}
