import { Faststart } from "./faststart.ts";
import { FragmentReader, type Head, type Unit } from "./fragments.ts";
import { NotSaveable, piecesOf, type Saved, type SaveOptions } from "./saving.ts";

export { NotSaveable, type SaveOptions } from "./saving.ts";

/**
 * An ordinary .mp4 of a video: the index in front, no tags, no padding; pictures and AAC sound copied bit by bit. Other sound is
 * turned into AAC where the browser can. Whatever reading throws (damaged, cut off) comes out unchanged. Throws NotSaveable.
 */
export async function toFaststart(video: Saved, options: SaveOptions = {}): Promise<Blob> {
  const reader = new FragmentReader();
  let film: Faststart | null = null;
  let isForeign = false;
  let done = 0;
  for await (const piece of piecesOf(video, options.signal)) {
    for (const unit of understood(() => reader.push(piece))) {
      if (unit.kind === "head") isForeign = !isOrdinary(unit);
      if (isForeign && unit.kind === "head" && !unit.movie.isMixed) return foreign(video, options);
      film = understood(() => added(film, unit));
    }
    done += piece.length;
    options.onProgress?.((done / video.plainSize) * 0.99);
  }
  const file = understood(() => film?.file());
  if (!file) throw new NotSaveable("this is no video");
  // The library knows samples in tables or in fragments, not both.
  if (isForeign) return foreign({ plainSize: file.size, stream: (from) => file.slice(from).stream() }, options);
  options.onProgress?.(1);
  return file;
}

function added(film: Faststart | null, unit: Unit): Faststart | null {
  if (unit.kind === "head") return new Faststart(unit);
  if (unit.kind === "media") film?.addMedia(unit);
  else film?.add(unit);
  return film;
}

/** What plays everywhere as it is. */
function isOrdinary({ movie }: Head): boolean {
  const codecs = movie.tracks.filter(({ kind }) => kind !== "other").map(({ codec }) => codec);
  return (movie.isFragmented || movie.isMixed) && codecs.every((codec) => /^(avc[13]|mp4a)\./.test(codec));
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
