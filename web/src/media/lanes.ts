import { AudioSample, type AudioSampleSource, type VideoSample, type VideoSampleSource } from "mediabunny";
import { SoundTrack } from "./clock.ts";
import type { PosterFinder } from "./poster.ts";
import { outputSize } from "./size.ts";

/** A little less than the 33 ms of thirty pictures a second: of a faster film every second one is kept. */
const SPACING_MS = 30;
/** A picture that stays longer is shown again, so that every fragment of a second has one. */
const LONGEST_MS = 1000;
const POSTER_SIDE = 480;
const USUAL_RATE = 48_000;

/** The picture half of a film that is encoded again: at most thirty a second, the first at 0, the last until the end. */
export class PictureLane {
  readonly #source: VideoSampleSource;
  readonly #poster: PosterFinder;
  #held: { sample: VideoSample; ms: number } | null = null;

  constructor(source: VideoSampleSource, poster: PosterFinder) {
    this.#source = source;
    this.#poster = poster;
  }

  /** Whether there was a picture at all. */
  get hasBegun(): boolean {
    return this.#held !== null;
  }

  /** Takes a picture, and closes it sooner or later. */
  async take(sample: VideoSample, ms: number): Promise<void> {
    const startMs = this.#held === null ? 0 : ms;
    if (this.#held !== null && startMs - this.#held.ms < SPACING_MS) return sample.close();
    try {
      await this.#show(startMs);
    } catch (error) {
      sample.close();
      throw error;
    }
    this.#held = { sample, ms: startMs };
    this.#consider(sample, startMs);
  }

  /** Shows the last picture until the end. */
  async finish(endMs: number): Promise<void> {
    await this.#show(endMs);
    this.#source.close();
  }

  close(): void {
    this.#held?.sample.close();
    this.#held = null;
  }

  async #show(untilMs: number): Promise<void> {
    if (this.#held === null) return;
    const { sample, ms } = this.#held;
    for (let at = ms; at < untilMs;) {
      const next = untilMs - at < LONGEST_MS + SPACING_MS ? untilMs : at + LONGEST_MS;
      const shown = sample.clone();
      shown.setTimestamp(at / 1000);
      shown.setDuration((next - at) / 1000);
      await this.#source.add(shown).finally(() => shown.close());
      at = next;
    }
    this.close();
  }

  /** Drawn, since a frame by itself does not know which way up it is. */
  #consider(sample: VideoSample, ms: number): void {
    if (!this.#poster.wants(ms)) return;
    const size = outputSize({ width: sample.displayWidth, height: sample.displayHeight }, POSTER_SIDE);
    const canvas = new OffscreenCanvas(size.width, size.height);
    const context = canvas.getContext("2d", { alpha: false });
    if (context === null) return;
    sample.draw(context, 0, 0, size.width, size.height);
    this.#poster.consider(canvas, size, ms);
  }
}

/** The sound half: one gapless track from 0 to the end, silence where the film has none. */
export class SoundLane {
  readonly #source: AudioSampleSource;
  #track: { times: SoundTrack; channels: number } | null = null;

  constructor(source: AudioSampleSource) {
    this.#source = source;
  }

  get endMs(): number {
    return this.#track?.times.endMs ?? 0;
  }

  /** Takes a stretch of sound and closes it. */
  async take(sample: AudioSample, ms: number, endMs: number): Promise<void> {
    const { sampleRate, numberOfFrames, numberOfChannels } = sample;
    const { times, channels } = (this.#track ??= { times: new SoundTrack(sampleRate), channels: numberOfChannels });
    try {
      if (sampleRate !== times.rate || numberOfChannels !== channels) return;
      const { silence, from, end } = times.place(ms, numberOfFrames, endMs);
      const start = times.written - (end - from);
      await this.#addSilence(start - silence, silence);
      if (end > from) await this.#add(planar(sample, from, end), start);
    } finally {
      sample.close();
    }
  }

  async fillTo(ms: number): Promise<void> {
    const { times } = (this.#track ??= { times: new SoundTrack(USUAL_RATE), channels: 1 });
    const silence = times.fillTo(ms);
    await this.#addSilence(times.written - silence, silence);
  }

  async finish(endMs: number): Promise<void> {
    await this.fillTo(endMs);
    this.#source.close();
  }

  async #addSilence(start: number, count: number): Promise<void> {
    const { times, channels } = this.#track ?? { times: new SoundTrack(USUAL_RATE), channels: 1 };
    for (let done = 0; done < count; done += times.rate) {
      const length = Math.min(times.rate, count - done);
      await this.#add(new Float32Array(length * channels), start + done);
    }
  }

  async #add(data: Float32Array<ArrayBuffer>, start: number): Promise<void> {
    if (this.#track === null) return;
    const { times, channels } = this.#track;
    const format = { format: "f32-planar" as const, numberOfChannels: channels, sampleRate: times.rate };
    const sample = new AudioSample({ data, ...format, timestamp: start / times.rate });
    await this.#source.add(sample).finally(() => sample.close());
  }
}

/** Always in one format: an encoder may not be given another in the middle. */
function planar(sample: AudioSample, from: number, end: number): Float32Array<ArrayBuffer> {
  const count = end - from;
  const data = new Float32Array(count * sample.numberOfChannels);
  for (let planeIndex = 0; planeIndex < sample.numberOfChannels; planeIndex++) {
    const plane = data.subarray(planeIndex * count, (planeIndex + 1) * count);
    sample.copyTo(plane, { planeIndex, format: "f32-planar", frameOffset: from, frameCount: count });
  }
  return data;
}
