import { boxAt } from "./boxes.ts";
import { findMoof, fragmentTimes, joined } from "./fragments.ts";
import type { Movie } from "./movie.ts";
import type { Plaintext } from "./plaintext.ts";

/** A place in the file and the time that begins there. */
export interface Place {
  offset: number;
  startS: number;
}

const WINDOW = 128 << 10;
const MOST_PROBES = 12;

/**
 * Finds the fragment that holds a time in a video of which only some places are known, by interpolation: bit rates are nearly
 * constant, so one or two probes do. `low` begins at or before the time, `high` after it. May return an earlier fragment.
 */
export async function findFragment(
  video: Plaintext,
  movie: Movie,
  timeS: number,
  low: Place,
  high: Place,
): Promise<Place> {
  for (let probe = 0; probe < MOST_PROBES && low.offset < high.offset; probe++) {
    // Every second time the middle: where rates are very uneven, interpolation alone creeps.
    const share = probe % 2 === 1 ? 0.5 : (timeS - low.startS) / Math.max(0.001, high.startS - low.startS);
    const guess = low.offset + Math.floor((high.offset - low.offset) * Math.min(1, share));
    const from = Math.max(low.offset, guess - WINDOW / 2);
    const places = await placesFrom(video, movie, from, high.offset);
    const before = places.findLast(({ startS }) => startS <= timeS);
    const after = places.find(({ startS }) => startS > timeS);
    if (!before && from === low.offset) return low;
    high = after ?? (before ? high : { ...high, offset: from });
    if (!before) continue;
    low = before;
    if (after) return low;
    const next = await placeAfter(video, movie, low);
    if (!next || next.offset >= high.offset || next.startS > timeS) return low;
    low = next;
  }
  return low;
}

/** The fragments that begin in a window, in order; the window grows until there is one, or the limit is reached. */
async function placesFrom(video: Plaintext, movie: Movie, from: number, limit: number): Promise<Place[]> {
  let bytes = new Uint8Array(0);
  const places: Place[] = [];
  for (let at = 0; places.length === 0 && from + bytes.length < Math.min(limit + WINDOW, video.plainSize);) {
    bytes = joined(
      bytes,
      await video.read(from + bytes.length, Math.min(WINDOW, video.plainSize - from - bytes.length)),
    );
    for (let moof = findMoof(bytes, at); moof; moof = findMoof(bytes, at)) {
      if (from + moof.start >= limit) return places;
      if (moof.end > bytes.length) break;
      places.push({ offset: from + moof.start, startS: fragmentTimes(bytes, moof, movie).startS });
      at = moof.end;
    }
  }
  return places;
}

/** Where the fragment after one begins, as its mdat box tells. */
async function placeAfter(video: Plaintext, movie: Movie, place: Place): Promise<Place | null> {
  const bytes = await video.read(place.offset, Math.min(WINDOW, video.plainSize - place.offset));
  const moof = boxAt(bytes, 0);
  const mdat = moof && boxAt(bytes, moof.end);
  if (!moof || mdat?.type !== "mdat") return null;
  return { offset: place.offset + mdat.end, startS: fragmentTimes(bytes, moof, movie).endS };
}
