import { type Box, boxAt, boxDown, boxesIn, Fields } from "./boxes.ts";
import { leadTrack, type Movie, readMovie, type Track } from "./movie.ts";

/** The file's head: everything up to and with the moov box. */
export interface Head {
  kind: "head";
  bytes: Uint8Array;
  end: number;
  movie: Movie;
}

/** A moof box and its mdat: what a player can be given by itself. Times in seconds. */
export interface Fragment {
  kind: "fragment";
  bytes: Uint8Array;
  /** Where it begins and ends in the file. */
  start: number;
  end: number;
  /** The times of the lead track. */
  startS: number;
  endS: number;
  /** When the longest track ends. */
  lastS: number;
}

/** An mdat that no moof announces: samples of the moov box's own tables, in a film that has both. */
export interface Media {
  kind: "media";
  bytes: Uint8Array;
  /** Where they begin in the file. */
  start: number;
}

export type Unit = Head | Fragment | Media;

const LARGEST_BOX = 64 << 20;

/**
 * Cuts a fragmented MP4, given in any pieces, into its head and its fragments. All other boxes (padding, indexes) are left
 * out. Throws RangeError for bytes that are no MP4.
 */
export class FragmentReader {
  #movie: Movie | null;
  #pending = new Uint8Array(0);
  /** The file offset of the first pending byte. */
  #offset: number;
  /** Where the unit being gathered (the head, or a moof and its mdat) began in the pending bytes. */
  #held = 0;
  #moof: Box | null = null;

  /** To begin in mid-file, at a fragment's start, the movie must be known. */
  constructor(movie: Movie | null = null, offset = 0) {
    this.#movie = movie;
    this.#offset = offset;
  }

  push(bytes: Uint8Array): Unit[] {
    this.#pending = joined(this.#pending, bytes);
    const found: Unit[] = [];
    let at = this.#moof ? this.#moof.end : this.#held;
    try {
      for (let box = this.#whole(at); box; box = this.#whole(at)) {
        const unit = this.#take(box);
        if (unit) found.push(unit);
        at = box.end;
      }
    } catch (error) {
      // What came before is good; the next push comes to the same place again.
      if (found.length === 0) throw error;
    }
    this.#forget(at);
    return found;
  }

  #whole(at: number): Box | null {
    const box = boxAt(this.#pending, at);
    if (box && box.end - box.start > LARGEST_BOX) throw new RangeError("a box larger than any video");
    return box && box.end <= this.#pending.length ? box : null;
  }

  #take(box: Box): Unit | null {
    if (!this.#movie) {
      if (box.type !== "moov") return null;
      this.#movie = readMovie(this.#pending, box.start);
      return this.#unit(0, box.end, (bytes) => ({
        kind: "head",
        bytes,
        end: this.#offset + box.end,
        movie: this.#movie!,
      }));
    }
    if (box.type === "moof") this.#moof = box;
    if (box.type !== "mdat") return null;
    if (!this.#moof) return this.#movie.isMixed ? this.#media(box) : null;
    const moof = this.#moof;
    this.#moof = null;
    const times = fragmentTimes(this.#pending, moof, this.#movie);
    const [start, end] = [this.#offset + moof.start, this.#offset + box.end];
    return this.#unit(moof.start, box.end, (bytes) => ({ kind: "fragment", bytes, start, end, ...times }));
  }

  #media(box: Box): Media {
    return this.#unit(box.start, box.end, (bytes) => ({ kind: "media", bytes, start: this.#offset + box.start }));
  }

  #unit<T>(from: number, to: number, make: (bytes: Uint8Array) => T): T {
    return make(this.#pending.slice(from, to));
  }

  /** Drops what was given out; before the head is whole, and within a fragment, everything is kept. */
  #forget(at: number): void {
    const keepFrom = !this.#movie ? 0 : (this.#moof?.start ?? at);
    if (!this.#movie) this.#held = at;
    else this.#held = 0;
    this.#pending = this.#pending.subarray(keepFrom);
    this.#offset += keepFrom;
    if (this.#moof) this.#moof = shifted(this.#moof, -keepFrom);
  }
}

/** The first moof box at or after an offset, found by its look: for seeking in bytes that were never read in order. */
export function findMoof(bytes: Uint8Array, from = 0): Box | null {
  for (let at = from; at + 20 <= bytes.length; at++) {
    if (bytes[at + 4] !== 0x6d || bytes[at + 5] !== 0x6f || bytes[at + 6] !== 0x6f || bytes[at + 7] !== 0x66) continue;
    const inner = String.fromCharCode(...bytes.subarray(at + 12, at + 16));
    if (inner === "mfhd") return boxAt(bytes, at);
  }
  return null;
}

/** Reads the times of a moof box that is wholly there. */
export function fragmentTimes(
  bytes: Uint8Array,
  moof: Box,
  movie: Movie,
): { startS: number; endS: number; lastS: number } {
  const spans = boxesIn(bytes, moof.body, moof.end)
    .filter((box) => box.type === "traf")
    .map((traf) => trackSpan(bytes, traf, movie.tracks))
    .filter((span) => span !== null);
  const lead = spans.find((span) => span.track === leadTrack(movie)) ?? spans[0];
  const lastS = Math.max(0, ...spans.map((span) => span.endS));
  return { startS: lead?.startS ?? 0, endS: lead?.endS ?? 0, lastS };
}

interface Span {
  track: Track;
  startS: number;
  endS: number;
}

function trackSpan(bytes: Uint8Array, traf: Box, tracks: Track[]): Span | null {
  const tfhd = boxDown(bytes, traf, "tfhd");
  const tfdt = boxDown(bytes, traf, "tfdt");
  if (!tfhd || !tfdt) return null;
  const header = new Fields(bytes, tfhd).full();
  const id = header.u32();
  const track = tracks.find((candidate) => candidate.id === id);
  if (!track) return null;
  header.skip((header.flags & 1 ? 8 : 0) + (header.flags & 2 ? 4 : 0));
  const usual = header.flags & 8 ? header.u32() : track.defaultDuration;
  const decode = new Fields(bytes, tfdt).full();
  const start = decode.version === 1 ? decode.u64() : decode.u32();
  const length = boxesIn(bytes, traf.body, traf.end)
    .filter((box) => box.type === "trun")
    .reduce((sum, trun) => sum + runLength(new Fields(bytes, trun).full(), usual), 0);
  return { track, startS: start / track.timescale, endS: (start + length) / track.timescale };
}

function runLength(trun: Fields, usual: number): number {
  const { flags } = trun;
  const count = trun.u32();
  trun.skip((flags & 1 ? 4 : 0) + (flags & 4 ? 4 : 0));
  if (!(flags & 0x100)) return count * usual;
  const rest = (flags & 0x200 ? 4 : 0) + (flags & 0x400 ? 4 : 0) + (flags & 0x800 ? 4 : 0);
  let sum = 0;
  for (let index = 0; index < count; index++) {
    sum += trun.u32();
    trun.skip(rest);
  }
  return sum;
}

function shifted(box: Box, by: number): Box {
  return { type: box.type, start: box.start + by, body: box.body + by, end: box.end + by };
}

export function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
