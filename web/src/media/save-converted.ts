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
import { NotSaveable, piecesOf, type Saved, type SaveOptions } from "./saving.ts";

/** For a film that is no fragmented H.264 with AAC: by the library, which needs all of it at a time. */
export async function converted(video: Saved, options: SaveOptions): Promise<Blob> {
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

async function readAll(video: Saved, { onProgress, signal }: SaveOptions): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(video.plainSize);
  let at = 0;
  for await (const piece of piecesOf(video, signal)) {
    bytes.set(piece, at);
    at += piece.length;
    onProgress?.((at / video.plainSize) * 0.9);
  }
  return bytes.subarray(0, at);
}
