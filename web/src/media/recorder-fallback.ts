import type { TakeEncoding, TakeEnd, TakeEvent, TakeResult } from "./encode.ts";
import { leadTrack } from "./movie.ts";
import { PosterFinder } from "./poster.ts";
import { TakeFailed } from "./take-failed.ts";
import { type Reach, Tally } from "./tally.ts";

const LIMIT_MS = 180_000;
const BUDGET_BYTES = 60 << 20;
const WATCH_MS = 100;
/** Shorter, and Safari gives empty pieces. */
const SLICE_MS = 1000;
const TYPES = ['video/mp4; codecs="avc1.42E01E, mp4a.40.2"', 'video/mp4; codecs="avc1.42E01E, opus"', "video/mp4"];
const VIDEO_BITRATE = 1_500_000;
const AUDIO_BITRATE = 96_000;

/** The last resort, for a browser without an encoder of its own; in the page. Null when it cannot make MP4 either. */
export function recordTake(stream: MediaStream, sink: WritableStream<Uint8Array>): TakeEncoding | null {
  const type = "MediaRecorder" in globalThis ? TYPES.find((name) => MediaRecorder.isTypeSupported(name)) : undefined;
  return type === undefined ? null : new Recording(stream, sink, type);
}

/** Whether a take needs the last resort. */
export function needsFallback(): boolean {
  return !("VideoEncoder" in globalThis);
}

class Recording implements TakeEncoding {
  onProgress: TakeEncoding["onProgress"] = null;
  onReach: TakeEncoding["onReach"] = null;
  onQuality: TakeEncoding["onQuality"] = null;
  onEvent: TakeEncoding["onEvent"] = null;
  onEnd: TakeEncoding["onEnd"] = null;
  readonly started: Promise<void>;
  readonly #recorder: MediaRecorder;
  readonly #tally: Tally;
  readonly #poster = new PosterFinder();
  readonly #player = document.createElement("video");
  readonly #events: TakeEvent[] = [];
  readonly #watchdog: ReturnType<typeof setInterval>;
  #writing: Promise<void> = Promise.resolve();
  #elapsedMs = 0;
  #resumedAt: number | null = null;
  #result: Promise<TakeResult> | null = null;

  constructor(stream: MediaStream, sink: WritableStream<Uint8Array>, mimeType: string) {
    this.#tally = new Tally(sink, (reach: Reach) => this.onReach?.(reach));
    this.#recorder = new MediaRecorder(stream, {
      mimeType,
      videoBitsPerSecond: VIDEO_BITRATE,
      audioBitsPerSecond: AUDIO_BITRATE,
    });
    this.#recorder.ondataavailable = ({ data }) => this.#write(data);
    this.started = new Promise((resolve, reject) => {
      this.#recorder.onstart = () => {
        this.#resumedAt = performance.now();
        resolve();
      };
      this.#recorder.onerror = () => {
        reject(new DOMException("the recorder failed", "EncodingError"));
        this.#endBy("encoder");
      };
    });
    this.started.catch(() => undefined);
    // Some end by themselves when a track does; what there is is kept.
    this.#recorder.onstop = () => this.#endBy("encoder");
    this.#player.muted = true;
    this.#player.playsInline = true;
    this.#player.srcObject = stream;
    this.#player.play().catch(() => undefined);
    this.#recorder.start(SLICE_MS);
    this.#watchdog = setInterval(() => this.#watch(), WATCH_MS);
  }

  pause(): void {
    this.#elapsedMs = this.#elapsed();
    this.#resumedAt = null;
    if (this.#recorder.state === "recording") this.#recorder.pause();
  }

  resume(): void {
    if (this.#recorder.state !== "paused") return;
    this.#recorder.resume();
    this.#resumedAt = performance.now();
  }

  note(kind: string, why: string | null): void {
    this.#events.push({ ms: Math.round(this.#elapsed()), kind, why });
    this.onEvent?.([...this.#events]);
  }

  stop(): Promise<TakeResult> {
    this.#result ??= this.#finish();
    return this.#result;
  }

  async close(): Promise<void> {
    await this.stop().catch(() => undefined);
  }

  #elapsed(): number {
    return this.#elapsedMs + (this.#resumedAt === null ? 0 : performance.now() - this.#resumedAt);
  }

  #watch(): void {
    const elapsed = this.#elapsed();
    const { videoWidth: width, videoHeight: height } = this.#player;
    if (width > 0 && this.#resumedAt !== null) this.#poster.consider(this.#player, { width, height }, elapsed);
    this.onProgress?.(Math.min(elapsed, LIMIT_MS));
    // The recorder answers a stop a little late, and what it then gives may not be longer than allowed.
    if (elapsed >= LIMIT_MS - WATCH_MS) this.#endBy("limit");
    else if (this.#tally.bytes > BUDGET_BYTES) this.#endBy("full");
  }

  #endBy(end: TakeEnd): void {
    if (this.#result) return;
    this.stop().catch(() => undefined);
    this.onEnd?.(end);
  }

  #write(data: Blob): void {
    this.#writing = this.#writing
      .then(async () => this.#tally.write(new Uint8Array(await data.arrayBuffer())))
      .catch(() => this.#endBy("sink"));
  }

  async #finish(): Promise<TakeResult> {
    clearInterval(this.#watchdog);
    if (this.#recorder.state !== "inactive") {
      const stopped = new Promise((resolve) => this.#recorder.addEventListener("stop", resolve, { once: true }));
      this.#recorder.stop();
      await stopped;
    }
    await this.#writing;
    this.#player.srcObject = null;
    this.#tally.release();
    const { movie, reach, bytes } = this.#tally;
    const lead = movie && leadTrack(movie);
    if (!movie || !lead || reach.ms === 0) throw new TakeFailed("no-picture");
    const poster = await this.#poster.choose();
    const { width, height } = lead;
    return { ms: reach.ms, width, height, type: movie.type, poster, plainBytes: bytes, events: this.#events };
  }
}
