import { registerAacEncoder } from "@mediabunny/aac-encoder";
import {
  AudioSample,
  AudioSampleSource,
  canEncodeAudio,
  canEncodeVideo,
  Mp4OutputFormat,
  NullTarget,
  Output,
  Quality,
} from "mediabunny";
import { soundQuality } from "./codecs-sound.ts";
import { pictureBitrate, type Size } from "./size.ts";

export type PictureCodec = "avc" | "vp9" | "av1";
export type SoundCodec = "aac" | "opus";

const SOUND_RATE = 48_000;
const FIRST_PACKET_LIMIT_MS = 5_000;

export function pictureQuality(size: Size): Quality {
  return new Quality({ bitrate: pictureBitrate(size) });
}

/** What this browser can encode at this size, H.264 first: it alone plays everywhere and is saved as it is. */
export async function choosePictureCodec(size: Size): Promise<PictureCodec | null> {
  for (const codec of ["avc", "vp9", "av1"] as const) {
    const options = { ...size, quality: pictureQuality(size), latencyMode: "realtime" as const };
    if (await canEncodeVideo(codec, options)) return codec;
  }
  return null;
}

let chosen: Promise<SoundCodec | null> | null = null;

/**
 * Finds out what sound this browser can encode, once. Worth calling before the countdown: where AAC is not native, its encoder is
 * compiled here. A wrong policy makes that encoder hang without a word, so it has five seconds for its first packet.
 */
export function chooseSoundCodec(): Promise<SoundCodec | null> {
  chosen ??= decideSoundCodec();
  return chosen;
}

async function decideSoundCodec(): Promise<SoundCodec | null> {
  const options = { numberOfChannels: 1, sampleRate: SOUND_RATE, quality: soundQuality() };
  if (!(await canEncodeAudio("aac", options))) registerAacEncoder();
  if (await canEncodeInTime("aac")) return "aac";
  return (await canEncodeAudio("opus", options)) ? "opus" : null;
}

async function canEncodeInTime(codec: SoundCodec): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), FIRST_PACKET_LIMIT_MS);
  });
  try {
    return await Promise.race([encodesSilence(codec), limit]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

function encodesSilence(codec: SoundCodec): Promise<true> {
  return new Promise((resolve, reject) => {
    const output = new Output({ format: new Mp4OutputFormat({ fastStart: "fragmented" }), target: new NullTarget() });
    const source = new AudioSampleSource({
      codec,
      quality: soundQuality(),
      onEncodedPacket: () => {
        resolve(true);
        void output.cancel();
      },
    });
    output.addAudioTrack(source);
    feedSilence(output, source).catch(reject);
  });
}

async function feedSilence(output: Output, source: AudioSampleSource): Promise<void> {
  await output.start();
  for (let block = 0; block < 8 && output.state === "started"; block++) {
    const sample = silence(block / 8, SOUND_RATE / 8, SOUND_RATE);
    await source.add(sample).finally(() => sample.close());
  }
}

/** A stretch of silence as mediabunny takes it. */
export function silence(timeS: number, count: number, rate: number): AudioSample {
  return soundSample(timeS, new Float32Array(count), rate);
}

export function soundSample(timeS: number, data: Float32Array<ArrayBuffer>, rate: number): AudioSample {
  return new AudioSample({ data, format: "f32-planar", numberOfChannels: 1, sampleRate: rate, timestamp: timeS });
}
