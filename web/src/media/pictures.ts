import { DeviceClock, PictureTrack, type TakeClock } from "./clock.ts";
import type { PictureEncoder } from "./picture-encoder.ts";
import type { PosterFinder } from "./poster.ts";

const SPACING_MS = 20;
const USUAL_MS = 1000 / 30;
const SILENT_MS = 250;
const LONGEST_GAP_MS = 400;
const WARM_UP = 3;

export interface PicturesOptions {
  clock: TakeClock;
  now: () => number;
  poster: PosterFinder | null;
}

/** The picture half of a take: gives each frame its media time, repeats the last one while the camera is silent. */
export class Pictures {
  readonly #options: PicturesOptions;
  #device = new DeviceClock();
  #camera = 0;
  readonly #track = new PictureTrack(SPACING_MS);
  #encoder: PictureEncoder | null = null;
  #last: VideoFrame | null = null;
  #seen = 0;
  /** Nothing that starts here or later belongs to the take. */
  endMs = Infinity;
  /** Set while the file grows faster than its budget: then every second frame is left out. */
  isThrifty = false;
  dropped = 0;

  constructor(options: PicturesOptions) {
    this.#options = options;
  }

  get lastMs(): number | null {
    return this.#track.lastMs;
  }

  /** From now on frames are encoded; the next one begins the take. */
  attach(encoder: PictureEncoder): void {
    this.#encoder = encoder;
  }

  /** Takes a frame and closes it. Each camera has a clock of its own. */
  take(frame: VideoFrame, camera = 0): void {
    try {
      this.#place(frame, camera);
    } finally {
      frame.close();
    }
  }

  #place(frame: VideoFrame, camera: number): void {
    const now = this.#options.now();
    if (camera !== this.#camera) this.#device = new DeviceClock();
    this.#camera = camera;
    const at = this.#device.toClock(frame.timestamp / 1000, now);
    this.#seen += 1;
    // A feed may begin with a frame that waited since it was opened; three later the delay is known.
    if (this.#encoder && this.#seen > WARM_UP && !this.#options.clock.isStarted) this.#options.clock.start(at);
    const mediaMs = this.#options.clock.mediaAt(at);
    const isSpared = (this.isThrifty || this.#encoder?.isExhausted) && this.#seen % 2 === 0;
    if (mediaMs !== null && !isSpared && this.#track.accepts(mediaMs, this.endMs)) {
      this.#bridge(mediaMs);
      this.#show(frame.clone(), mediaMs);
    }
  }

  /** Called by the watchdog: an unplugged camera must not stall the muxer, which waits for every track. */
  repeatIfSilent(elapsedMs: number): void {
    this.#encoder?.watch();
    const last = this.#track.lastMs;
    if (last === null || !this.#last || elapsedMs - last < SILENT_MS) return;
    this.#bridge(elapsedMs);
    this.#repeat(elapsedMs);
  }

  /** What was shown after this moment is lost: the last picture stands in for it. */
  fallBack(lastMs: number): void {
    if (this.#track.lastMs !== null) this.#track.lastMs = Math.min(this.#track.lastMs, lastMs);
  }

  /** Lets the last picture be seen up to the end of the take. */
  holdUntil(endMs: number): void {
    const last = this.#track.lastMs;
    const startMs = endMs - USUAL_MS;
    if (last !== null && startMs - last >= SPACING_MS) this.#repeat(startMs);
  }

  /** Waits until everything is encoded and written. */
  async settled(): Promise<void> {
    await this.#encoder?.finish();
  }

  close(): void {
    this.#encoder?.close();
    this.#encoder = null;
    this.#last?.close();
    this.#last = null;
  }

  /** Repeats the last picture where there was none for long, be it that this thread itself stood still. */
  #bridge(mediaMs: number): void {
    for (let last = this.#track.lastMs; last !== null && mediaMs - last > LONGEST_GAP_MS; last = this.#track.lastMs) {
      this.#repeat(last + SILENT_MS);
      if (this.#track.lastMs === last) return;
    }
  }

  #repeat(mediaMs: number): void {
    if (this.#last && mediaMs < this.endMs) this.#show(this.#last.clone(), mediaMs);
  }

  #show(frame: VideoFrame, mediaMs: number): void {
    const timestamp = Math.round(mediaMs * 1000);
    const duration = Math.round(Math.min(USUAL_MS, this.endMs - mediaMs) * 1000);
    if (!this.#encoder?.encode(frame, { timestamp, duration })) {
      this.dropped += 1;
      frame.close();
      return;
    }
    this.#last?.close();
    this.#last = frame;
    this.#track.lastMs = mediaMs;
    const size = { width: frame.displayWidth, height: frame.displayHeight };
    this.#options.poster?.consider(frame, size, mediaMs);
  }
}
