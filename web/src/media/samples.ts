import { type Box, boxAt, boxDown, boxesIn, Fields } from "./boxes.ts";

/** Samples that lie side by side: one run of a fragment. */
export interface Run {
  trackId: number;
  /** Which of the track's sample descriptions they follow, from 1. */
  description: number;
  /** Of the first sample, in the track's timescale. */
  decodeTime: number;
  /** Where the first one begins, counted from the fragment's start. */
  offset: number;
  samples: Sample[];
}

export interface Sample {
  duration: number;
  size: number;
  isSync: boolean;
  /** From decoding to showing. */
  shift: number;
}

/** What a fragment need not repeat, by track. */
export type Defaults = ReadonlyMap<number, Usual>;

interface Usual {
  description: number;
  duration: number;
  size: number;
  flags: number;
}

const NOT_SYNC = 0x10000;
const NOTHING: Usual = { description: 1, duration: 0, size: 0, flags: 0 };

export function defaultsOf(bytes: Uint8Array, moov: Box): Defaults {
  const mvex = boxDown(bytes, moov, "mvex");
  const boxes = mvex ? boxesIn(bytes, mvex.body, mvex.end).filter(({ type }) => type === "trex") : [];
  return new Map(
    boxes.map((trex) => {
      const fields = new Fields(bytes, trex).full();
      const id = fields.u32();
      return [id, { description: fields.u32(), duration: fields.u32(), size: fields.u32(), flags: fields.u32() }];
    }),
  );
}

/** The runs of a moof box that stands at the start of the bytes; `start` is its place in the file. Throws RangeError. */
export function runsOf(bytes: Uint8Array, start: number, defaults: Defaults): Run[] {
  const moof = boxAt(bytes, 0);
  if (moof?.type !== "moof" || moof.end > bytes.length) throw new RangeError("no moof box");
  const runs: Run[] = [];
  let end = 0;
  for (const traf of boxesIn(bytes, moof.body, moof.end).filter(({ type }) => type === "traf")) {
    const tfhd = boxDown(bytes, traf, "tfhd");
    if (!tfhd) throw new RangeError("a track fragment without its header");
    const header = new Fields(bytes, tfhd).full();
    const trackId = header.u32();
    const base = header.flags & 1 ? header.u64() - start : header.flags & 0x20000 || runs.length === 0 ? 0 : end;
    const usual = usualOf(header, defaults.get(trackId) ?? NOTHING);
    let [decodeTime, next] = [decodeTimeOf(bytes, traf), base];
    for (const trun of boxesIn(bytes, traf.body, traf.end).filter(({ type }) => type === "trun")) {
      const fields = new Fields(bytes, trun).full();
      const count = fields.u32();
      const offset = fields.flags & 1 ? base + (fields.u32() | 0) : next;
      const samples = samplesOf(fields, count, usual);
      runs.push({ trackId, description: usual.description, decodeTime, offset, samples });
      decodeTime += sum(samples, "duration");
      next = offset + sum(samples, "size");
    }
    end = next;
  }
  return runs;
}

export function sum(samples: readonly Sample[], what: "duration" | "size"): number {
  return samples.reduce((total, sample) => total + sample[what], 0);
}

function usualOf(header: Fields, usual: Usual): Usual {
  const { flags } = header;
  return {
    description: flags & 2 ? header.u32() : usual.description,
    duration: flags & 8 ? header.u32() : usual.duration,
    size: flags & 0x10 ? header.u32() : usual.size,
    flags: flags & 0x20 ? header.u32() : usual.flags,
  };
}

function decodeTimeOf(bytes: Uint8Array, traf: Box): number {
  const tfdt = boxDown(bytes, traf, "tfdt");
  if (!tfdt) throw new RangeError("a track fragment without its time");
  const fields = new Fields(bytes, tfdt).full();
  return fields.version === 1 ? fields.u64() : fields.u32();
}

function samplesOf(trun: Fields, count: number, usual: Usual): Sample[] {
  const { flags, version } = trun;
  const first = flags & 4 ? trun.u32() : null;
  return Array.from({ length: count }, (_, number) => {
    const duration = flags & 0x100 ? trun.u32() : usual.duration;
    const size = flags & 0x200 ? trun.u32() : usual.size;
    const own = flags & 0x400 ? trun.u32() : usual.flags;
    const shift = flags & 0x800 ? trun.u32() : 0;
    const marks = number === 0 && first !== null ? first : own;
    return { duration, size, isSync: (marks & NOT_SYNC) === 0, shift: version === 0 ? shift : shift | 0 };
  });
}
