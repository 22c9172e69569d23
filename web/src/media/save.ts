import { Faststart } from "./faststart.ts";
import { type Fragment, FragmentReader, type Head } from "./fragments.ts";
import { NotSaveable, piecesOf, type Saved, type SaveOptions } from "./saving.ts";

export { NotSaveable, type SaveOptions } from "./saving.ts";

/**
 * An ordinary .mp4 of a video: the index in front, no tags, no padding; pictures and AAC sound copied bit by bit. Other sound is
 * turned into AAC where the browser can. Whatever reading throws (damaged, cut off) comes out unchanged. Throws NotSaveable.
 */
export async function toFaststart(video: Saved, options: SaveOptions = {}): Promise<Blob> {
  const reader = new FragmentReader();
  let film: Faststart | null = null;
  let done = 0;
  for await (const piece of piecesOf(video, options.signal)) {
    for (const unit of understood(() => reader.push(piece))) {
      if (unit.kind === "head" && !isOrdinary(unit)) return foreign(video, options);
      film = understood(() => added(film, unit));
    }
    done += piece.length;
    options.onProgress?.((done / video.plainSize) * 0.99);
  }
  const file = understood(() => film?.file());
  if (!file) throw new NotSaveable("this is no video");
  options.onProgress?.(1);
  return file;
}

function added(film: Faststart | null, unit: Head | Fragment): Faststart | null {
  if (unit.kind === "head") return new Faststart(unit);
  film?.add(unit);
  return film;
}

/** What plays everywhere as it is. */
function isOrdinary({ movie }: Head): boolean {
  const codecs = movie.tracks.filter(({ kind }) => kind !== "other").map(({ codec }) => codec);
  return movie.isFragmented && codecs.every((codec) => /^(avc[13]|mp4a)\./.test(codec));
}

async function foreign(video: Saved, options: SaveOptions): Promise<Blob> {
  const { converted } = await import("./save-converted.ts");
  const file = await converted(video, options);
  options.onProgress?.(1);
  return file;
}

function understood<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError) throw new NotSaveable("this video cannot be saved as a file", { cause: error });
    throw error;
  }
}
