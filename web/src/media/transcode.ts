import {
  type AudioSample,
  AudioSampleSink,
  AudioSampleSource,
  Mp4OutputFormat,
  Output,
  StreamTarget,
  type VideoSample,
  VideoSampleSink,
  VideoSampleSource,
} from "mediabunny";
import { RECORDING_MS, RECORDING_TOLERATED_MS } from "../protocol/limits.ts";
import { choosePictureCodec, chooseSoundCodec, pictureQuality } from "./codecs.ts";
import { soundQuality } from "./codecs-sound.ts";
import { BUDGET_BYTES, type TakeResult } from "./encode.ts";
import { FileRefused } from "./file-refused.ts";
import { damagedUnless, type Footage } from "./footage.ts";
import { PictureLane, SoundLane } from "./lanes.ts";
import { leadTrack } from "./movie.ts";
import { forgetOrigin } from "./origin.ts";
import { mendDescription } from "./picture-description.ts";
import { PosterFinder } from "./poster.ts";
import { outputSize, type Size } from "./size.ts";
import { Tally } from "./tally.ts";

const FRAGMENT_S = 1;
const MISSING_MS = 500;
const LEAD_MS = 100;

/** What is known of it, apart from what happened while it was recorded. */
export type MadeVideo = Pick<TakeResult, "ms" | "width" | "height" | "type" | "poster">;

export interface TranscodeOptions {
  /** 0 to 1. */
  onProgress: (done: number) => void;
  signal: AbortSignal;
}

/**
 * Encodes footage as what a take is: H.264 and AAC in fragments of a second. Nothing of it is copied, so nothing outside the wanted
 * stretch, no tag and no turn in a header comes along.
 * @throws FileRefused; what the sink throws; the signal's reason
 */
export async function transcode(
  footage: Footage,
  sink: WritableStream<Uint8Array>,
  options: TranscodeOptions,
): Promise<MadeVideo> {
  const tally = new Tally(sink, () => undefined);
  try {
    return await new Transcoding(footage, tally, options).run();
  } catch (error) {
    options.signal.throwIfAborted();
    if (tally.refusal !== null) throw tally.refusal as Error;
    throw error;
  } finally {
    tally.release();
  }
}

class Transcoding {
  readonly #footage: Footage;
  readonly #tally: Tally;
  readonly #options: TranscodeOptions;
  readonly #poster = new PosterFinder();
  readonly #output: Output;
  /** As long as the result may be. */
  readonly #endMs: number;
  readonly #expectedMs: number;
  /** Whether the file itself may not be longer. */
  readonly #isWhole: boolean;
  #lastMs = 0;

  constructor(footage: Footage, tally: Tally, options: TranscodeOptions) {
    this.#footage = footage;
    this.#tally = tally;
    this.#options = options;
    this.#isWhole = footage.toS === Infinity;
    this.#endMs = Math.min(RECORDING_MS, (footage.toS - footage.fromS) * 1000);
    this.#expectedMs = Math.min(this.#endMs, footage.claimMs ?? RECORDING_MS);
    const format = new Mp4OutputFormat({ fastStart: "fragmented", minimumFragmentDuration: FRAGMENT_S / 2 });
    const writable = new WritableStream<{ data: Uint8Array }>({ write: ({ data }) => this.#write(data) });
    this.#output = new Output({ format, target: new StreamTarget(writable) });
  }

  async run(): Promise<MadeVideo> {
    const size = await this.#size();
    const [codec, sound] = [await choosePictureCodec(size), await chooseSoundCodec()];
    if (codec === null) throw new FileRefused("no-encoder");
    const picture = new VideoSampleSource({
      codec,
      quality: pictureQuality(size),
      keyFrameInterval: FRAGMENT_S,
      onEncodedPacket: (_, meta) => mendDescription(meta),
      sizeChangeBehavior: "passThrough",
      // Forced, or a film that is stored upside down would stay so.
      transform: {
        ...size,
        fit: "contain",
        force: (await this.#footage.picture.getRotation()) !== 0,
      },
    });
    const voice =
      sound === null
        ? null
        : new AudioSampleSource({
            codec: sound,
            quality: soundQuality(),
            transform: { numberOfChannels: 1, sampleRate: 48_000 },
          });
    this.#output.addVideoTrack(picture);
    if (voice) this.#output.addAudioTrack(voice);
    const lanes = { picture: new PictureLane(picture, this.#poster), sound: voice && new SoundLane(voice) };
    try {
      await this.#output.start();
      await this.#feed(lanes.picture, lanes.sound);
    } catch (error) {
      await this.#output.cancel().catch(() => undefined);
      throw error;
    } finally {
      lanes.picture.close();
    }
    return this.#result();
  }

  /** The muxer notes in the head when it was made and by what. */
  async #write(data: Uint8Array): Promise<void> {
    if (this.#tally.movie === null) forgetOrigin(data);
    await this.#tally.write(data);
  }

  async #size(): Promise<Size> {
    const { picture } = this.#footage;
    return outputSize({ width: await picture.getDisplayWidth(), height: await picture.getDisplayHeight() });
  }

  async #feed(picture: PictureLane, sound: SoundLane | null): Promise<void> {
    const { fromS, toS } = this.#footage;
    const stopS = Math.min(toS, fromS + RECORDING_TOLERATED_MS / 1000 + 1);
    const pictures = new Ahead(new VideoSampleSink(this.#footage.picture).samples(fromS, stopS));
    const sounds = new Ahead(
      this.#footage.sound ? new AudioSampleSink(this.#footage.sound).samples(fromS, stopS) : null,
    );
    try {
      for (;;) {
        this.#options.signal.throwIfAborted();
        const [shown, heard] = [await pictures.peek(), await sounds.peek()];
        if (shown === null && heard === null) break;
        if (shown !== null && (heard === null || shown.timestamp <= heard.timestamp)) {
          await this.#show(picture, sound, pictures.take(shown), heard);
        } else if (heard !== null) await this.#hear(sound, sounds.take(heard));
      }
    } finally {
      await Promise.all([pictures.close(), sounds.close()]);
    }
    if (!picture.hasBegun) throw new FileRefused("file-no-picture");
    await this.#end(picture, sound);
  }

  async #show(
    lane: PictureLane,
    sound: SoundLane | null,
    sample: VideoSample,
    heard: AudioSample | null,
  ): Promise<void> {
    const ms = this.#noted(sample);
    if (ms >= this.#endMs) return sample.close();
    await encoding(lane.take(sample, ms));
    // Without sound beside them pictures are not written.
    const silentMs = Math.min(ms, heard === null ? Infinity : this.#mediaMs(heard)) - LEAD_MS;
    if (sound !== null && silentMs > sound.endMs) await encoding(sound.fillTo(silentMs));
    this.#options.onProgress(Math.min(0.99, ms / this.#expectedMs));
  }

  async #hear(lane: SoundLane | null, sample: AudioSample): Promise<void> {
    const ms = this.#noted(sample);
    if (lane === null || ms >= this.#endMs) return sample.close();
    await encoding(lane.take(sample, ms, this.#endMs));
  }

  #mediaMs(sample: { timestamp: number }): number {
    return (sample.timestamp - this.#footage.fromS) * 1000;
  }

  /** The moment of a sample, which is closed when it is one too many. */
  #noted(sample: VideoSample | AudioSample): number {
    const ms = this.#mediaMs(sample);
    try {
      this.#note(ms, sample.duration);
      return ms;
    } catch (error) {
      sample.close();
      throw error;
    }
  }

  #note(ms: number, durationS: number): void {
    this.#lastMs = Math.max(this.#lastMs, ms + durationS * 1000);
    if (this.#isWhole && this.#lastMs > RECORDING_TOLERATED_MS) {
      throw new FileRefused("file-too-long", { ms: Math.round(Math.max(this.#lastMs, this.#footage.claimMs ?? 0)) });
    }
    if (this.#tally.bytes > BUDGET_BYTES) throw new FileRefused("file-too-heavy");
  }

  async #end(picture: PictureLane, sound: SoundLane | null): Promise<void> {
    const endMs = Math.min(this.#endMs, this.#lastMs);
    const { claimMs } = this.#footage;
    const isShort = this.#isWhole && claimMs !== null && Math.min(claimMs, RECORDING_MS) - endMs > MISSING_MS;
    if (isShort) throw new FileRefused("file-damaged", { ms: Math.floor(endMs) });
    await encoding(picture.finish(endMs));
    if (sound) await encoding(sound.finish(endMs));
    await encoding(this.#output.finalize());
    this.#options.onProgress(1);
  }

  async #result(): Promise<MadeVideo> {
    const { movie, reach } = this.#tally;
    const lead = movie && leadTrack(movie);
    if (!movie || !lead || reach.ms === 0) throw new FileRefused("file-no-picture");
    const poster = await this.#poster.choose();
    return { ms: reach.ms, width: lead.width, height: lead.height, type: movie.type, poster };
  }
}

/** A reader that can be asked what comes next. */
class Ahead<T extends { close(): void }> {
  readonly #samples: AsyncGenerator<T, void, unknown> | null;
  #next: T | null = null;
  #isOver: boolean;

  constructor(samples: AsyncGenerator<T, void, unknown> | null) {
    this.#samples = samples;
    this.#isOver = samples === null;
  }

  async peek(): Promise<T | null> {
    if (this.#next !== null || this.#isOver || this.#samples === null) return this.#next;
    const { value, done } = await damagedUnless(this.#samples.next());
    if (done === true) this.#isOver = true;
    else this.#next = value;
    return this.#next;
  }

  /** Hands over what was peeked at. */
  take(sample: T): T {
    this.#next = null;
    return sample;
  }

  async close(): Promise<void> {
    this.#next?.close();
    this.#next = null;
    await this.#samples?.return().catch(() => undefined);
  }
}

/** What an encoder throws has no code of its own. */
async function encoding<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof FileRefused) throw error;
    throw new FileRefused("no-encoder", {}, { cause: error });
  }
}
