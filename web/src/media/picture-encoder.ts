import type { EncodedPacket, EncodedVideoPacketSource } from "mediabunny";
import { Effort } from "./effort.ts";
import { EncoderRun } from "./encoder-run.ts";
import { joined } from "./fragments.ts";
import { parameterSets } from "./parameter-sets.ts";
import { encoderConfig, type EncoderChoice } from "./picture-codec.ts";
import { shrunk, type Size, STEPS } from "./size.ts";

const LONGEST_QUEUE = 6;
/** What the muxer has not taken yet: three seconds. */
const MOST_UNWRITTEN = 90;
const HUNG_MS = 3000;
const WARM_UP_MS = 500;
/** After so many failures in a row there is no point in another start. */
const MOST_FAILURES = 3;
const TRUSTED_MS = 10_000;
const KEY_FRAME_US = 1_000_000;

export interface PictureEncoderOptions {
  choice: EncoderChoice;
  track: EncodedVideoPacketSource;
  /** No encoder is left, or the file takes no more. */
  onBroken: (error: unknown) => void;
  /** What came after this moment was lost with an encoder. */
  onLost: (lastMs: number) => void;
  /** Why pictures are smaller, or encoded by another encoder, from now on. */
  onStep: (why: "behind" | "encoder-failed", size: Size) => void;
}

/**
 * Encodes the pictures of a take. An encoder that does not keep up gets smaller ones, one that fails or hangs is
 * replaced, in software and then smaller; only when that does not help the take ends.
 */
export class PictureEncoder {
  readonly #options: PictureEncoderOptions;
  readonly #effort = new Effort();
  #run: EncoderRun;
  #step = 0;
  #isSoftware = false;
  #isDrawn = false;
  #failures = 0;
  #failedAt = -Infinity;
  #second = -1;
  /** The description in the file's header, and whether some later pictures need another. */
  #header: Uint8Array | null = null;
  #isApart = false;
  #isBroken = false;
  /** Up to here pictures will be written whatever becomes of the encoder in use; and up to here it was given some. */
  #safeMs = 0;
  #givenMs = 0;

  constructor(options: PictureEncoderOptions) {
    this.#options = options;
    this.#run = this.#newRun(Promise.resolve());
    this.#effort.begin(performance.now(), WARM_UP_MS);
  }

  get size(): Size {
    return this.#run.size;
  }

  /** Not even the smallest pictures come in time. */
  get isExhausted(): boolean {
    return this.#step === STEPS && this.#effort.isBehind(performance.now());
  }

  /** Takes a frame and leaves it open; false when it had to be left out. */
  encode(frame: VideoFrame, timing: { timestamp: number; duration: number }): boolean {
    const now = performance.now();
    const { waiting, unwritten } = this.#run;
    const isDropped = this.#isBroken || waiting >= LONGEST_QUEUE || unwritten > MOST_UNWRITTEN;
    this.#effort.note(now, waiting, isDropped);
    if (this.#effort.isBehind(now)) this.#stepDown();
    if (isDropped) return false;
    const second = Math.floor(timing.timestamp / KEY_FRAME_US);
    if (!this.#run.encode(frame, timing, second !== this.#second)) return false;
    this.#second = second;
    this.#givenMs = timing.timestamp / 1000;
    return true;
  }

  /** Called now and then: an encoder may hang without a word. */
  watch(): void {
    if (this.#run.silenceMs > HUNG_MS) this.#fail(new Error("the encoder hangs"));
  }

  /** Settles when everything is written. */
  finish(): Promise<void> {
    return this.#run.finish();
  }

  close(): void {
    this.#isBroken = true;
    this.#run.close();
  }

  #stepDown(): void {
    if (this.#step === STEPS) return;
    this.#step += 1;
    this.#safeMs = this.#givenMs; // the slow one still lets them out
    this.#restart("behind");
  }

  #fail(error: unknown): void {
    if (this.#isBroken) return;
    const now = performance.now();
    this.#failures = now - this.#failedAt > TRUSTED_MS ? 1 : this.#failures + 1;
    this.#failedAt = now;
    if (this.#failures > MOST_FAILURES) return this.#break(error);
    // The first time it may have been the frames' format, later it is too much for the device.
    if (this.#isDrawn) this.#step = Math.min(STEPS, this.#step + 1);
    this.#isDrawn = true;
    // A phone may have no other encoder than the one that failed.
    this.#isSoftware = !this.#isSoftware;
    this.#run.close();
    this.#safeMs = Math.max(this.#safeMs, this.#run.reachedMs);
    this.#options.onLost(this.#safeMs);
    this.#restart("encoder-failed");
  }

  #restart(why: "behind" | "encoder-failed"): void {
    const before = this.#run.finish();
    try {
      this.#run = this.#newRun(before);
    } catch (error) {
      return this.#break(error);
    }
    this.#second = -1;
    this.#effort.begin(performance.now());
    this.#options.onStep(why, this.size);
  }

  #break(error: unknown): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#options.onBroken(error);
  }

  #newRun(after: Promise<void>): EncoderRun {
    const { choice } = this.#options;
    const own: Own = { sets: null };
    const run: EncoderRun = new EncoderRun({
      config: encoderConfig(choice, shrunk(choice.size, this.#step), this.#isSoftware),
      isDrawn: this.#isDrawn,
      after,
      give: (packet, meta) => this.#give(packet, meta, own),
      onError: (error) => {
        if (run === this.#run) this.#fail(error);
      },
    });
    return run;
  }

  async #give(packet: EncodedPacket, meta: EncodedVideoChunkMetadata | undefined, own: Own): Promise<void> {
    const description = meta?.decoderConfig?.description;
    if (description && this.#options.choice.codec === "avc") this.#learn(bytesOf(description), own);
    const isMarked = packet.type === "key" && own.sets !== null;
    const whole = isMarked && own.sets ? packet.clone({ data: joined(own.sets, packet.data) }) : packet;
    try {
      await this.#options.track.add(whole, meta);
    } catch (error) {
      this.#break(error);
    }
  }

  /** The file's header describes the first encoder's pictures; those of each later one bring their own description along. */
  #learn(avcC: Uint8Array, own: Own): void {
    const isAsInHeader = this.#header === null || (!this.#isApart && isSame(this.#header, avcC));
    this.#header ??= avcC;
    if (isAsInHeader) return;
    this.#isApart = true;
    own.sets = parameterSets(avcC);
  }
}

/** What stands before the key frames of one encoder; nothing for the first. */
interface Own {
  sets: Uint8Array | null;
}

function bytesOf(data: AllowSharedBufferSource): Uint8Array {
  const bytes = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
  return bytes.slice();
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((value, at) => value === other[at]);
}
