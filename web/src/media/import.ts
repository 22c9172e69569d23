import { BlobSource } from "mediabunny";
import { FileRefused } from "./file-refused.ts";
import { type Footage, type FootageWish, openFootage } from "./footage.ts";
import { type MadeVideo, transcode, type TranscodeOptions } from "./transcode.ts";

export interface ImportWish extends FootageWish, TranscodeOptions {}

/** Any video file as a take: at most 1280 on the long side and three minutes, upright, without a tag. @throws as transcode */
export async function importVideo(
  file: Blob,
  sink: WritableStream<Uint8Array>,
  { cut, sound, ...options }: ImportWish,
): Promise<MadeVideo> {
  if (file.size === 0) throw new FileRefused("file-empty");
  const footage = await opened(file, { cut, sound });
  try {
    return await transcode(footage, sink, options);
  } finally {
    footage.close();
  }
}

async function opened(file: Blob, wish: FootageWish): Promise<Footage> {
  try {
    return await openFootage(new BlobSource(file), wish);
  } catch (error) {
    // Some that are protected are laid out as mediabunny does not expect it.
    const isStrange = error instanceof FileRefused && error.code === "file-damaged";
    if (isStrange && (await isProtected(file))) throw new FileRefused("file-protected", {}, { cause: error });
    throw error;
  }
}

const LOOK_BYTES = 4 << 20;
/** The box that names the scheme of protection (ISO/IEC 14496-12, 8.12.5). */
const SCHEME = /schm[\0]{4}(?:cenc|cbc1|cens|cbcs|itun)/u;

/** Looks where an MP4's index stands: at its beginning or at its end. */
async function isProtected(file: Blob): Promise<boolean> {
  const decoder = new TextDecoder("latin1");
  for (const piece of [file.slice(0, LOOK_BYTES), file.slice(-LOOK_BYTES)]) {
    if (SCHEME.test(decoder.decode(await piece.arrayBuffer()))) return true;
  }
  return false;
}
