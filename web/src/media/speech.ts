import type { AudioSampleSource } from "mediabunny";
import { AUDIO_GRAPH, DeviceClock, SoundTrack, type TakeClock } from "./clock.ts";
import { silence, soundSample } from "./codecs.ts";
import type { SoundBlock } from "./sound.ts";

const USUAL_RATE = 48_000;
const DEAD_MS = 500;

export interface SpeechOptions {
  clock: TakeClock;
  now: () => number;
  onError: (error: unknown) => void;
}

/** The sound half of a take: one gapless track whatever the microphone does; time comes from its frame counter. */
export class Speech {
  readonly #options: SpeechOptions;
  readonly #device = new DeviceClock(AUDIO_GRAPH);
  #source: AudioSampleSource | null = null;
  #track: SoundTrack | null = null;
  #queue: Promise<void> = Promise.resolve();
  #isExact = false;
  endMs = Infinity;

  constructor(options: SpeechOptions) {
    this.#options = options;
  }

  get reachedMs(): number {
    return this.#track?.endMs ?? 0;
  }

  attach(source: AudioSampleSource): void {
    this.#source = source;
  }

  /** After a pause the next sound stands where it belongs, so that pauses add up to no drift. */
  align(): void {
    this.#isExact = true;
  }

  take(block: SoundBlock): void {
    const count = block.samples.length;
    const lengthMs = (count / block.rate) * 1000;
    const endAt = this.#device.toClock((block.frame / block.rate) * 1000 + lengthMs, this.#options.now());
    const mediaMs = this.#options.clock.mediaAt(endAt - lengthMs);
    if (mediaMs === null || mediaMs + lengthMs <= 0) return;
    const track = this.#trackAt(block.rate);
    if (track.rate !== block.rate) return;
    const { silence: gap, from, end } = track.place(mediaMs, count, this.endMs, this.#isExact);
    this.#isExact = false;
    const startS = (track.written - (end - from)) / track.rate;
    this.#addSilence(track.rate, startS - gap / track.rate, gap);
    if (end > from) this.#encode(soundSample(startS, block.samples.slice(from, end), track.rate));
  }

  /** Called by the watchdog: without sound the muxer would write nothing at all. */
  fillIfDead(elapsedMs: number): void {
    this.fillTo(elapsedMs - DEAD_MS);
  }

  fillTo(mediaMs: number): void {
    if (mediaMs <= this.reachedMs) return;
    const track = this.#trackAt(USUAL_RATE);
    const startS = track.written / track.rate;
    this.#addSilence(track.rate, startS, track.fillTo(Math.min(mediaMs, this.endMs)));
  }

  async settled(): Promise<void> {
    await this.#queue;
  }

  close(): void {
    this.#source = null;
  }

  #trackAt(rate: number): SoundTrack {
    this.#track ??= new SoundTrack(rate);
    return this.#track;
  }

  #addSilence(rate: number, startS: number, count: number): void {
    for (let done = 0; done < count; done += rate) {
      this.#encode(silence(startS + done / rate, Math.min(rate, count - done), rate));
    }
  }

  #encode(sample: ReturnType<typeof silence>): void {
    const source = this.#source;
    this.#queue = this.#queue
      .then(() => source?.add(sample))
      .catch((error: unknown) => this.#options.onError(error))
      .finally(() => sample.close());
  }
}
