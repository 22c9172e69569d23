import { AudioSampleSource, EncodedVideoPacketSource, Mp4OutputFormat, Output, StreamTarget } from "mediabunny";
import { TakeClock } from "./clock.ts";
import { chooseSoundCodec, type SoundCodec } from "./codecs.ts";
import { soundQuality } from "./codecs-sound.ts";
import { deferred } from "./deferred.ts";
import { type PictureFeed, readPictures, readSound } from "./feeds.ts";
import { leadTrack } from "./movie.ts";
import { chooseEncoder } from "./picture-codec.ts";
import { PictureEncoder } from "./picture-encoder.ts";
import { Pictures } from "./pictures.ts";
import { type Poster, PosterFinder } from "./poster.ts";
import { outputSize, type Size } from "./size.ts";
import { Speech } from "./speech.ts";
import { TakeFailed } from "./take-failed.ts";
import { type Reach, Tally } from "./tally.ts";

export type { PictureFeed } from "./feeds.ts";
export type { Poster } from "./poster.ts";
export { TakeFailed } from "./take-failed.ts";
export type { Reach } from "./tally.ts";

/** The longest take, in milliseconds of media time. */
export const LIMIT_MS = 180_000;
/** The most an MP4 may weigh: with its seal and padding it stays under what an upload may hold. */
export const BUDGET_BYTES = 60 << 20;

const WATCH_MS = 100;
const DRAIN_MS = 250;
const SLACK_BYTES = 4 << 20;

export interface EncodeOptions {
  /** The output's size; without it, the camera's. Anything else is letterboxed. */
  size?: Size;
  limitMs?: number;
  budgetBytes?: number;
  /** The clock that media time is measured by, in milliseconds. */
  now?: () => number;
}

export interface TakeSource {
  video: PictureFeed;
  audio: MessagePort | null;
  options?: EncodeOptions;
}

/** Why a take ended by itself. What it holds is kept in every case. */
export type TakeEnd = "limit" | "full" | "encoder" | "sink";

/** What happened at a moment of media time: a device was changed or lost, the picture became smaller. */
export interface TakeEvent {
  ms: number;
  kind: string;
  why: string | null;
}

export interface TakeResult {
  ms: number;
  width: number;
  height: number;
  /** Full MIME type. */
  type: string;
  poster: Poster | null;
  plainBytes: number;
  /** In their order. */
  events: readonly TakeEvent[];
}

export interface TakeEncoding {
  /** Media time so far, about ten times a second. */
  onProgress: ((mediaMs: number) => void) | null;
  /** A fragment has been written: the first `bytes` of the MP4 play up to `ms`. */
  onReach: ((reach: Reach) => void) | null;
  /** The pictures have this size from now on; `isBehind` when the device sustains no more. */
  onQuality: ((size: Size, isBehind: boolean) => void) | null;
  /** Something was added to the take's record of events. */
  onEvent: ((events: readonly TakeEvent[]) => void) | null;
  /** The take ended by itself; `stop` gives what it holds. */
  onEnd: ((end: TakeEnd) => void) | null;
  /** Settles when media time has begun to run; rejects with TakeFailed. */
  readonly started: Promise<void>;
  pause(): void;
  resume(): void;
  /** Adds to the take's record of events. */
  note(kind: string, why: string | null): void;
  /** Ends the take. The sink then has all of it and is left open, for the padding. Rejects with TakeFailed. */
  stop(): Promise<TakeResult>;
  /** Ends the take without regard to what becomes of it; settles when it holds no frame any more. */
  close(): Promise<void>;
}

/** Encodes a take as fragmented MP4: bytes reach the sink in file order, a whole fragment about every second. */
export function encodeTake(source: TakeSource, sink: WritableStream<Uint8Array>): TakeEncoding {
  return new Encoding(source, sink);
}

class Encoding implements TakeEncoding {
  onProgress: TakeEncoding["onProgress"] = null;
  onReach: TakeEncoding["onReach"] = null;
  onQuality: TakeEncoding["onQuality"] = null;
  onEvent: TakeEncoding["onEvent"] = null;
  onEnd: TakeEncoding["onEnd"] = null;
  readonly started: Promise<void>;

  readonly #limitMs: number;
  readonly #budgetBytes: number;
  readonly #now: () => number;
  readonly #clock = new TakeClock();
  readonly #poster = new PosterFinder();
  readonly #tally: Tally;
  readonly #pictures: Pictures;
  readonly #speech: Speech;
  readonly #start = deferred<void>();
  readonly #firstSize = deferred<Size>();
  readonly #events: TakeEvent[] = [];
  readonly #stopReading: (() => Promise<void>)[];
  readonly #watchdog: ReturnType<typeof setInterval>;
  #output: Output | null = null;
  #result: Promise<TakeResult> | null = null;
  #hasBroken = false;

  constructor({ video, audio, options = {} }: TakeSource, sink: WritableStream<Uint8Array>) {
    this.#limitMs = options.limitMs ?? LIMIT_MS;
    this.#budgetBytes = options.budgetBytes ?? BUDGET_BYTES;
    this.#now = options.now ?? (() => performance.now());
    this.#tally = new Tally(sink, (reach) => this.onReach?.(reach));
    const shared = { clock: this.#clock, now: this.#now, onError: (error: unknown) => this.#break(error) };
    this.#pictures = new Pictures({ clock: this.#clock, now: this.#now, poster: this.#poster });
    this.#speech = new Speech(shared);
    this.#pictures.endMs = this.#speech.endMs = this.#limitMs;
    this.started = this.#start.promise;
    this.started.catch(() => undefined);
    this.#firstSize.promise.catch(() => undefined);
    this.#stopReading = [readPictures(video, (frame, camera) => this.#takePicture(frame, camera))];
    if (audio) this.#stopReading.push(readSound(audio, (block) => this.#speech.take(block)));
    this.#watchdog = setInterval(() => this.#watch(), WATCH_MS);
    this.#open(options.size).catch((error: unknown) => this.#start.reject(error));
  }

  pause(): void {
    this.#clock.pause(this.#now());
  }

  resume(): void {
    this.#clock.resume(this.#now());
    this.#speech.align();
  }

  note(kind: string, why: string | null): void {
    this.#events.push({ ms: Math.round(this.#clock.elapsed(this.#now())), kind, why });
    this.onEvent?.([...this.#events]);
  }

  stop(): Promise<TakeResult> {
    this.#result ??= this.#finish();
    return this.#result;
  }

  async close(): Promise<void> {
    this.#result ??= Promise.reject(new TakeFailed("no-picture"));
    this.#result.catch(() => undefined);
    const gone = this.#letGo();
    if (this.#output && this.#output.state !== "finalized") this.#output.cancel().catch(() => undefined);
    await gone;
  }

  #takePicture(frame: VideoFrame, camera: number): void {
    this.#firstSize.resolve({ width: frame.displayWidth, height: frame.displayHeight });
    this.#pictures.take(frame, camera);
    if (this.#clock.isStarted) this.#start.resolve();
    if (this.#clock.elapsed(this.#now()) >= this.#limitMs) this.#watch();
  }

  async #open(wanted: Size | undefined): Promise<void> {
    const sound = await chooseSoundCodec();
    const size = outputSize(wanted ?? (await this.#firstSize.promise));
    const choice = await chooseEncoder(size);
    if (!choice) throw new TakeFailed("no-encoder");
    if (this.#result) return;
    const output = this.#newOutput();
    const track = new EncodedVideoPacketSource(choice.codec);
    const speech = sound ? soundSource(sound) : null;
    output.addVideoTrack(track);
    if (speech) output.addAudioTrack(speech);
    await output.start();
    this.#output = output;
    if (speech) this.#speech.attach(speech);
    this.#pictures.attach(
      new PictureEncoder({
        choice,
        track,
        onBroken: (error) => this.#break(error),
        onLost: (lastMs) => this.#pictures.fallBack(lastMs),
        onStep: (why, smaller) => this.#noteStep(why, smaller),
      }),
    );
    this.onQuality?.(size, false);
  }

  #noteStep(why: string, size: Size): void {
    this.note(`picture-${size.width}x${size.height}`, why);
    this.onQuality?.(size, why === "behind");
  }

  #newOutput(): Output {
    // Half a second is enough for a fragment: with a whole one, a key frame at 0.99 s would be passed over.
    const format = new Mp4OutputFormat({ fastStart: "fragmented", minimumFragmentDuration: 0.5 });
    const writable = new WritableStream<{ data: Uint8Array }>({ write: ({ data }) => this.#tally.write(data) });
    return new Output({ format, target: new StreamTarget(writable) });
  }

  #watch(): void {
    if (!this.#clock.isStarted || this.#result) return;
    const elapsed = Math.min(this.#clock.elapsed(this.#now()), this.#limitMs);
    if (!this.#clock.isPaused) {
      this.#pictures.repeatIfSilent(elapsed);
      this.#speech.fillIfDead(elapsed);
    }
    const allowed = (this.#budgetBytes - SLACK_BYTES) * (elapsed / this.#limitMs) + SLACK_BYTES / 2;
    this.#pictures.isThrifty = this.#tally.bytes > allowed;
    this.onProgress?.(elapsed);
    if (elapsed >= this.#limitMs) this.#endBy("limit");
    else if (this.#tally.bytes > this.#budgetBytes - SLACK_BYTES / 2) this.#endBy("full");
  }

  #endBy(end: TakeEnd): void {
    if (this.#result) return;
    this.stop().catch(() => undefined);
    this.onEnd?.(end);
  }

  #break(error: unknown): void {
    if (this.#hasBroken) return;
    this.#hasBroken = true;
    const end = this.#tally.refusal ? "sink" : "encoder";
    console.warn(`the take ended early: ${end}`, error instanceof Error ? error.name : "");
    this.#endBy(end);
  }

  async #finish(): Promise<TakeResult> {
    const endMs = Math.min(this.#limitMs, this.#clock.elapsed(this.#now()));
    clearInterval(this.#watchdog);
    if (this.#output && endMs > 0 && !this.#hasBroken) await this.#complete(this.#output, endMs);
    const gone = this.#letGo();
    if (this.#hasBroken) await this.#output?.cancel().catch(() => undefined);
    const summary = this.#summary();
    summary.catch(() => undefined);
    await gone; // the worker may be ended as soon as there is a result
    return summary;
  }

  async #complete(output: Output, endMs: number): Promise<void> {
    this.#pictures.endMs = this.#speech.endMs = endMs;
    await this.#drained(endMs);
    this.#pictures.holdUntil(endMs);
    this.#speech.fillTo(endMs);
    await Promise.all([this.#pictures.settled(), this.#speech.settled()]);
    await output.finalize().catch((error: unknown) => this.#break(error));
  }

  /** Waits for what was seen and heard before the end and is still on its way. */
  async #drained(endMs: number): Promise<void> {
    const until = performance.now() + DRAIN_MS;
    const isMissing = (): boolean => (this.#pictures.lastMs ?? 0) < endMs - 50 || this.#speech.reachedMs < endMs - 1;
    while (isMissing() && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  async #summary(): Promise<TakeResult> {
    const { movie, reach, bytes } = this.#tally;
    this.#tally.release();
    const lead = movie && leadTrack(movie);
    if (!movie || !lead || reach.ms === 0) {
      const failure = new TakeFailed("no-picture");
      this.#start.reject(failure);
      throw failure;
    }
    const poster = await this.#poster.choose();
    const { width, height } = lead;
    return { ms: reach.ms, width, height, type: movie.type, poster, plainBytes: bytes, events: this.#events };
  }

  async #letGo(): Promise<void> {
    clearInterval(this.#watchdog);
    const stopped = this.#stopReading.splice(0).map((stop) => stop());
    this.#pictures.close();
    this.#speech.close();
    await Promise.all(stopped);
  }
}

function soundSource(codec: SoundCodec): AudioSampleSource {
  // At the rate it comes in: mediabunny's resampler holds five seconds back, and the muxer would wait for them.
  return new AudioSampleSource({ codec, quality: soundQuality() });
}
