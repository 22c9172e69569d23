import { CustomSource, type Source, VideoSampleSink } from "mediabunny";
import { FileRefused } from "./file-refused.ts";
import { type Cut, damagedUnless, type Footage, openFootage } from "./footage.ts";
import type { Plaintext } from "./plaintext.ts";
import { type Poster, posterOf } from "./poster.ts";
import { type MadeVideo, transcode, type TranscodeOptions } from "./transcode.ts";

type Film = Pick<Plaintext, "plainSize" | "read">;

const SHORTEST_MS = 500;
const POSTER_SIDE = 480;

/** A stretch of a video of ours, encoded again so that nothing outside it is in the file. @throws as transcode, FileRefused cut-too-short */
export async function trimVideo(
  film: Film,
  sink: WritableStream<Uint8Array>,
  { cut, ...options }: TranscodeOptions & { cut: Cut },
): Promise<MadeVideo> {
  if (cut.toMs - cut.fromMs < SHORTEST_MS || cut.fromMs < 0) throw new FileRefused("cut-too-short");
  const footage = await openFootage(sourceOf(film), { cut, sound: "keep" });
  try {
    return await transcode(footage, sink, options);
  } finally {
    footage.close();
  }
}

/** The picture at a moment, as a poster. @throws FileRefused file-no-picture */
export async function posterAt(film: Film, ms: number): Promise<Poster> {
  const footage = await openFootage(sourceOf(film), { cut: null, sound: "leave-out" });
  try {
    const poster = await drawnAt(footage, ms);
    if (poster === null) throw new FileRefused("file-no-picture");
    return poster;
  } finally {
    footage.close();
  }
}

async function drawnAt({ picture, fromS }: Footage, ms: number): Promise<Poster | null> {
  const sink = new VideoSampleSink(picture);
  const first = await picture.getFirstTimestamp();
  const sample = await damagedUnless(sink.getSample(Math.max(first, fromS + ms / 1000)));
  if (sample === null) return null;
  try {
    const scale = Math.min(1, POSTER_SIDE / Math.max(sample.displayWidth, sample.displayHeight));
    const [width, height] = [Math.round(sample.displayWidth * scale), Math.round(sample.displayHeight * scale)];
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d", { alpha: false });
    if (context === null) return null;
    sample.draw(context, 0, 0, width, height);
    return await posterOf(canvas, { width, height });
  } finally {
    sample.close();
  }
}

function sourceOf(film: Film): Source {
  return new CustomSource({
    getSize: () => film.plainSize,
    read: (start, end) => film.read(start, end - start),
    prefetchProfile: "fileSystem",
    // Told to whoever reads next, too.
    handleUnhandledError: () => undefined,
  });
}
