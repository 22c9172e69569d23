import { type Box, boxDown, boxesIn, Fields } from "./boxes.ts";
import { forgetOrigin } from "./origin.ts";
import { type Sample, sum } from "./samples.ts";

/** All samples of a track, and where they lie. */
export interface TrackTable {
  samples: Sample[];
  /** Samples side by side; `offset` is counted from the first byte of all samples. */
  chunks: { offset: number; count: number; description: number }[];
  /** When the first one is decoded, in the track's timescale. */
  startTime: number;
  nextTime: number;
}

type Tables = ReadonlyMap<number, TrackTable>;

/**
 * The index of an ordinary MP4 from that of a fragmented one: tables in the place of the promise of fragments, true
 * durations, nothing about its making. `before` bytes stand between the file's begin, without this index, and the first sample.
 */
export function indexOf(bytes: Uint8Array, moov: Box, tables: Tables, before: number): Uint8Array<ArrayBuffer> {
  // The tables' sizes do not depend on the places in them.
  const { length } = written(bytes, moov, tables, 0);
  const index = written(bytes, moov, tables, before + length);
  forgetOrigin(index);
  return index;
}

function written(bytes: Uint8Array, moov: Box, tables: Tables, firstSample: number): Uint8Array<ArrayBuffer> {
  const mvhd = boxDown(bytes, moov, "mvhd");
  if (!mvhd) throw new RangeError("no mvhd box");
  const timescale = new Fields(bytes, mvhd)
    .full()
    .skip(versionOf(bytes, mvhd) === 1 ? 16 : 8)
    .u32();
  const tracks = boxesIn(bytes, moov.body, moov.end).flatMap((trak) => {
    const table = trak.type === "trak" ? tables.get(trackId(bytes, trak)) : undefined;
    return table && table.samples.length > 0 ? [trackOf(bytes, trak, table, timescale, firstSample)] : [];
  });
  if (tracks.length === 0) throw new RangeError("a film without a track");
  const duration = Math.max(...tracks.map((track) => track.duration));
  return box("moov", lasting(bytes, mvhd, duration, 12), ...tracks.map((track) => track.bytes));
}

function trackOf(bytes: Uint8Array, trak: Box, table: TrackTable, timescale: number, firstSample: number) {
  const [tkhd, mdhd] = [boxDown(bytes, trak, "tkhd"), boxDown(bytes, trak, "mdia", "mdhd")];
  const minf = boxDown(bytes, trak, "mdia", "minf");
  const stsd = boxDown(bytes, trak, "mdia", "minf", "stbl", "stsd");
  if (!tkhd || !mdhd || !minf || !stsd) throw new RangeError("a track without its boxes");
  const own = new Fields(bytes, mdhd)
    .full()
    .skip(versionOf(bytes, mdhd) === 1 ? 16 : 8)
    .u32();
  const inMovie = (time: number): number => Math.round((time / own) * timescale);
  const media = sum(table.samples, "duration");
  // Where the first sample shows: it starts late, or its beginning is not to be shown.
  const delay = table.startTime / own - editOf(bytes, trak, own, timescale);
  const [late, skipped] = [Math.max(0, Math.round(delay * timescale)), Math.max(0, Math.round(-delay * own))];
  const shown = inMovie(endOf(table.samples) - skipped);
  const kept = boxesIn(bytes, minf.body, minf.end).filter(({ type }) => type !== "stbl");
  const stbl = box("stbl", part(bytes, stsd), ...tablesOf(table, firstSample));
  const mdia = boxDown(bytes, trak, "mdia");
  const hdlr = mdia && boxDown(bytes, mdia, "hdlr");
  const track = box(
    "trak",
    lasting(bytes, tkhd, late + shown, 16),
    ...(late + skipped > 0 ? [edits(late, skipped, shown)] : []),
    box(
      "mdia",
      lasting(bytes, mdhd, media, 12),
      ...(hdlr ? [part(bytes, hdlr)] : []),
      box("minf", ...kept.map((each) => part(bytes, each)), stbl),
    ),
  );
  return { bytes: track, duration: late + shown };
}

/** When the last picture has been shown, counted from when the first is decoded; pictures may come out of order. */
function endOf(samples: readonly Sample[]): number {
  let [time, end] = [0, 0];
  for (const { duration, shift } of samples) {
    end = Math.max(end, time + shift + duration);
    time += duration;
  }
  return end;
}

/** How many seconds of the track's own time stand before the film's beginning. */
function editOf(bytes: Uint8Array, trak: Box, own: number, timescale: number): number {
  const elst = boxDown(bytes, trak, "edts", "elst");
  if (!elst) return 0;
  const fields = new Fields(bytes, elst).full();
  const read = (): number => (fields.version === 1 ? fields.u64() : fields.u32());
  let empty = 0;
  for (let count = fields.u32(); count > 0; count--) {
    const [duration, from] = [read(), read()];
    fields.skip(4);
    if (from < 0xffffffff) return from / own - empty / timescale;
    empty += duration;
  }
  return -empty / timescale;
}

function edits(late: number, skipped: number, shown: number): Uint8Array {
  const first = late > 0 ? [late, 0xffffffff, 0x10000] : [];
  const list = [...first, shown, skipped, 0x10000];
  return box("edts", box("elst", words(0, list.length / 3, ...list)));
}

function tablesOf({ samples, chunks }: TrackTable, firstSample: number): Uint8Array[] {
  const syncs = samples.flatMap(({ isSync }, number) => (isSync ? [number + 1] : []));
  const shifts = runs(samples.map(({ shift }) => shift));
  const isShifted = samples.some(({ shift }) => shift !== 0);
  const isSigned = samples.some(({ shift }) => shift < 0);
  const counts = chunks.flatMap(({ count, description }, number) => {
    const before = chunks[number - 1];
    return before?.count === count && before.description === description ? [] : [[number + 1, count, description]];
  });
  return [
    box("stts", table(runs(samples.map(({ duration }) => duration)))),
    ...(isShifted ? [box("ctts", table(shifts, isSigned ? 0x1000000 : 0))] : []),
    ...(syncs.length < samples.length ? [box("stss", table(syncs.map((number) => [number])))] : []),
    box("stsc", table(counts)),
    box("stsz", words(0, 0, samples.length, ...samples.map(({ size }) => size))),
    box("stco", table(chunks.map(({ offset }) => [firstSample + offset]))),
  ];
}

/** How often each value follows itself. */
function runs(values: readonly number[]): number[][] {
  const found: [number, number][] = [];
  for (const value of values) {
    const last = found.at(-1);
    if (last?.[1] === value) last[0] += 1;
    else found.push([1, value]);
  }
  return found;
}

function table(rows: readonly (readonly number[])[], versionAndFlags = 0): Uint8Array {
  return words(versionAndFlags, rows.length, ...rows.flat());
}

function words(...values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, at) => view.setUint32(at * 4, value));
  return new Uint8Array(view.buffer);
}

function box(type: string, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const made = new Uint8Array(parts.reduce((size, each) => size + each.length, 8));
  new DataView(made.buffer).setUint32(0, made.length);
  made.set(
    Array.from(type, (sign) => sign.charCodeAt(0)),
    4,
  );
  let at = 8;
  for (const each of parts) {
    made.set(each, at);
    at += each.length;
  }
  return made;
}

function part(bytes: Uint8Array, { start, end }: Box): Uint8Array<ArrayBuffer> {
  return bytes.slice(start, end);
}

function versionOf(bytes: Uint8Array, { body }: Box): number {
  return bytes[body] ?? 0;
}

function trackId(bytes: Uint8Array, trak: Box): number {
  const tkhd = boxDown(bytes, trak, "tkhd");
  return tkhd
    ? new Fields(bytes, tkhd)
        .full()
        .skip(versionOf(bytes, tkhd) === 1 ? 16 : 8)
        .u32()
    : 0;
}

/** A copy of a header with another duration; in version 0 it stands at `place` behind version and flags. */
function lasting(bytes: Uint8Array, header: Box, duration: number, place: 12 | 16): Uint8Array {
  const copy = part(bytes, header);
  const view = new DataView(copy.buffer);
  const at = header.body - header.start + 4 + place;
  if (versionOf(bytes, header) === 1) view.setBigUint64(at + 8, BigInt(duration));
  else view.setUint32(at, duration);
  return copy;
}
