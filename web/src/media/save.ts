import {
  BufferTarget,
  BufferSource,
  canEncodeAudio,
  Conversion,
  Input,
  MP4,
  Mp4OutputFormat,
  Output,
} from "mediabunny";
import { forgetOrigin } from "./origin.ts";
import { soundQuality } from "./codecs-sound.ts";
import type { Plaintext } from "./plaintext.ts";

export interface SaveOptions {
  /** 0 to 1. */
  onProgress?: (done: number) => void;
  signal?: AbortSignal;
}

/** The opened video is none that can be turned into a file. */
export class NotSaveable extends Error {
  readonly code = "not-a-video";
  override readonly name = "NotSaveable";
}

/**
 * An ordinary .mp4 of a video: the index in front, no tags, no padding; pictures and AAC sound copied bit by bit. Other sound is
 * turned into AAC where the browser can. Whatever reading throws (damaged, cut off) comes out unchanged. Throws NotSaveable.
 */
export async function toFaststart(
  video: Pick<Plaintext, "plainSize" | "stream">,
  options: SaveOptions = {},
): Promise<Blob> {
  const bytes = await readAll(video, options);
  const target = new BufferTarget();
  const input = new Input({ source: new BufferSource(bytes), formats: [MP4] });
  const output = new Output({ format: new Mp4OutputFormat({ fastStart: "in-memory" }), target });
  try {
    const conversion = await conversionOf(input, output);
    options.signal?.addEventListener("abort", () => void conversion.cancel());
    await conversion.execute();
  } catch (error) {
    options.signal?.throwIfAborted();
    throw new NotSaveable("this video cannot be saved as a file", { cause: error });
  } finally {
    input.dispose();
  }
  options.onProgress?.(1);
  const file = new Uint8Array(target.buffer ?? new ArrayBuffer(0));
  forgetOrigin(file);
  return new Blob([file], { type: "video/mp4" });
}

async function conversionOf(input: Input, output: Output): Promise<Conversion> {
  const sound = await input.getPrimaryAudioTrack();
  const isForeign = sound !== null && (await sound.getCodec()) !== "aac";
  const turned = isForeign && (await canEncodeAudio("aac")) ? { codec: "aac" as const, quality: soundQuality() } : {};
  const conversion = await Conversion.init({ input, output, audio: turned, tags: {}, showWarnings: false });
  if (!conversion.isValid) throw new TypeError("no track can be copied");
  return conversion;
}

async function readAll(
  video: Pick<Plaintext, "plainSize" | "stream">,
  { onProgress, signal }: SaveOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(video.plainSize);
  const reader = video.stream(0).getReader();
  let at = 0;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const { value, done } = await reader.read();
      if (done) return bytes.subarray(0, at);
      bytes.set(value, at);
      at += value.length;
      onProgress?.((at / video.plainSize) * 0.9);
    }
  } finally {
    // Frees the download when the reader leaves early; after the end it does nothing.
    reader.cancel().catch(() => undefined);
  }
}
