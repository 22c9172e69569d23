import { EncodedPacket } from "mediabunny";
import { Letterbox } from "./letterbox.ts";
import { mendDescription } from "./picture-description.ts";
import type { Size } from "./size.ts";

/** How long an encoder that is let go may take for what it still holds. */
const FLUSH_LIMIT_MS = 8000;

export interface RunOptions {
  config: VideoEncoderConfig;
  /** Whether frames are redrawn even where their size is right. */
  isDrawn: boolean;
  /** What it encodes follows this. */
  after: Promise<void>;
  give: (packet: EncodedPacket, meta: EncodedVideoChunkMetadata | undefined) => Promise<void>;
  onError: (error: unknown) => void;
}

/** One encoder from its beginning to its end; a take has another one when it fails or is too slow. */
export class EncoderRun {
  readonly #options: RunOptions;
  readonly #encoder: VideoEncoder;
  readonly #letterbox: Letterbox;
  readonly #durations = new Map<number, number>();
  #given: Promise<void>;
  #finished: Promise<void> | null = null;
  #answeredAt = performance.now();
  #count = 0;
  #inside = 0;
  unwritten = 0;
  /** The moment of the last picture that came out; what is out will be written. */
  reachedMs = 0;

  constructor(options: RunOptions) {
    this.#options = options;
    this.#given = options.after;
    this.#letterbox = new Letterbox(this.size, options.isDrawn);
    this.#encoder = new VideoEncoder({
      output: (chunk, meta) => this.#take(chunk, meta),
      error: (error) => this.#fail(error),
    });
    this.#encoder.configure(options.config);
  }

  get size(): Size {
    const { width, height } = this.#options.config;
    return { width, height };
  }

  /** Frames that the encoder has not begun with. */
  get waiting(): number {
    return this.#encoder.encodeQueueSize;
  }

  /** How long frames have been inside without an answer. */
  get silenceMs(): number {
    return this.#inside === 0 ? 0 : performance.now() - this.#answeredAt;
  }

  /** Takes a frame and leaves it open; false when the frame cannot be read, which is no fault of the encoder's. */
  encode(frame: VideoFrame, timing: { timestamp: number; duration: number }, keyFrame: boolean): boolean {
    const framed = this.#framed(frame, timing);
    if (framed === null) return false;
    try {
      this.#encoder.encode(framed, { keyFrame });
      this.#durations.set(timing.timestamp, timing.duration);
      if (this.#inside === 0) this.#answeredAt = performance.now();
      this.#inside += 1;
    } catch (error) {
      this.#fail(error);
    } finally {
      framed.close();
    }
    return true;
  }

  #framed(frame: VideoFrame, timing: { timestamp: number; duration: number }): VideoFrame | null {
    try {
      return this.#letterbox.framed(frame, timing);
    } catch {
      return null;
    }
  }

  /** Lets everything out and the encoder go; settles when all of it is written. Never rejects. */
  finish(): Promise<void> {
    this.#finished ??= this.#finish();
    return this.#finished;
  }

  async #finish(): Promise<void> {
    const limit = new Promise((resolve) => setTimeout(resolve, FLUSH_LIMIT_MS));
    const flushed = this.#encoder.state === "configured" ? this.#encoder.flush() : Promise.resolve();
    await Promise.race([flushed, limit]).catch(() => undefined);
    await this.#given;
    this.close();
  }

  close(): void {
    if (this.#encoder.state !== "closed") this.#encoder.close();
  }

  #take(chunk: EncodedVideoChunk, meta: EncodedVideoChunkMetadata | undefined): void {
    this.#inside -= 1;
    this.#answeredAt = performance.now();
    this.reachedMs = chunk.timestamp / 1000;
    this.#count += 1;
    // Some encoders call their first chunk a delta; nothing else can be the first.
    const type = this.#count === 1 ? "key" : chunk.type;
    mendDescription(meta);
    const data = new Uint8Array(chunk.byteLength);
    chunk.copyTo(data);
    const durationUs = this.#durations.get(chunk.timestamp) ?? 0;
    this.#durations.delete(chunk.timestamp);
    const packet = new EncodedPacket(data, type, chunk.timestamp / 1e6, durationUs / 1e6);
    this.unwritten += 1;
    this.#given = this.#given.then(() => this.#options.give(packet, meta)).finally(() => (this.unwritten -= 1));
    this.#given.catch(() => undefined);
  }

  #fail(error: unknown): void {
    if (this.#finished === null) this.#options.onError(error);
  }
}
