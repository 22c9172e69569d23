import { boxAt } from "./boxes.ts";
import { findMoof, fragmentTimes } from "./fragments.ts";
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
  for (let probe = 0; probe < MOST_PROBES && high.offset - low.offset > WINDOW / 4; probe++) {
    // Sometimes the middle: where rates are very uneven, interpolation alone creeps.
    const share = probe % 3 === 2 ? 0.5 : (timeS - low.startS) / Math.max(0.001, high.startS - low.startS);
    const guess = low.offset + Math.floor((high.offset - low.offset) * Math.min(1, share));
    const from = Math.max(low.offset, guess - WINDOW / 2);
    const places = await placesFrom(video, movie, from, high.offset);
    const before = places.findLast(({ startS }) => startS <= timeS);
    const after = places.find(({ startS }) => startS > timeS);
    if (before && before.offset > low.offset) low = before;
    if (after && after.offset < high.offset) high = after;
    else if (!before) high = { ...high, offset: from };
    if (before && after) return before;
    if (before && before.offset === low.offset && places.at(-1) === before)
      high = await nextAfter(video, movie, before, high);
    if (high.startS > timeS && high.offset <= low.offset + WINDOW / 4) break;
  }
  return low;
}

/** The fragments that begin in a window, in order. */
async function placesFrom(video: Plaintext, movie: Movie, from: number, limit: number): Promise<Place[]> {
  const bytes = await video.read(from, Math.min(WINDOW * 2, video.plainSize - from));
  const places: Place[] = [];
  for (let at = 0; ;) {
    const moof = findMoof(bytes, at);
    if (!moof || moof.end > bytes.length || from + moof.start >= limit) return places;
    places.push({ offset: from + moof.start, startS: fragmentTimes(bytes, moof, movie).startS });
    at = moof.end;
  }
}

/** Narrows the upper bound to the fragment that follows one, when that can be told from its mdat box. */
async function nextAfter(video: Plaintext, movie: Movie, place: Place, high: Place): Promise<Place> {
  const bytes = await video.read(place.offset, Math.min(WINDOW, video.plainSize - place.offset));
  const moof = boxAt(bytes, 0);
  const mdat = moof && boxAt(bytes, moof.end);
  if (!moof || mdat?.type !== "mdat") return high;
  const offset = place.offset + mdat.end;
  const { endS } = fragmentTimes(bytes, moof, movie);
  return offset < high.offset ? { offset, startS: endS } : high;
}
