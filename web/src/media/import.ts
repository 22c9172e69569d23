import { BlobSource } from "mediabunny";
import { FileRefused } from "./file-refused.ts";
import { type FootageWish, openFootage } from "./footage.ts";
import { type MadeVideo, transcode, type TranscodeOptions } from "./transcode.ts";

export interface ImportWish extends FootageWish, TranscodeOptions {}

/** Any video file as a take: at most 1280 on the long side and three minutes, upright, without a tag. @throws as transcode */
export async function importVideo(
  file: Blob,
  sink: WritableStream<Uint8Array>,
  { cut, sound, ...options }: ImportWish,
): Promise<MadeVideo> {
  if (file.size === 0) throw new FileRefused("file-empty");
  const footage = await openFootage(new BlobSource(file), { cut, sound });
  try {
    return await transcode(footage, sink, options);
  } finally {
    footage.close();
  }
}
