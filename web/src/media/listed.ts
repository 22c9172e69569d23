import { type Box, boxDown, boxesIn, Fields } from "./boxes.ts";
import { type Run, type Sample, sum } from "./samples.ts";

/** The samples of a moov box's own tables, by track and chunk; offsets are counted from the file's begin. Throws RangeError. */
export function listedRuns(bytes: Uint8Array, moov: Box): Run[] {
  return boxesIn(bytes, moov.body, moov.end)
    .filter(({ type }) => type === "trak")
    .flatMap((trak) => runsOfTrack(bytes, trak));
}

function runsOfTrack(bytes: Uint8Array, trak: Box): Run[] {
  const [tkhd, stbl] = [boxDown(bytes, trak, "tkhd"), boxDown(bytes, trak, "mdia", "minf", "stbl")];
  if (!tkhd || !stbl) return [];
  const head = new Fields(bytes, tkhd).full();
  const trackId = head.skip(head.version === 1 ? 16 : 8).u32();
  const samples = samplesOf(bytes, stbl);
  let [decodeTime, at] = [0, 0];
  return chunksOf(bytes, stbl).map(({ offset, count, description }) => {
    const own = samples.slice(at, at + count);
    const run = { trackId, description, decodeTime, offset, samples: own };
    decodeTime += sum(own, "duration");
    at += count;
    return run;
  });
}

function samplesOf(bytes: Uint8Array, stbl: Box): Sample[] {
  const stsz = table(bytes, stbl, "stsz");
  if (!stsz) return [];
  const [same, count] = [stsz.u32(), stsz.u32()];
  // A table can be no longer than its box; sizes that are all the same need none.
  if (same === 0 && count > (stbl.end - stbl.body) / 4) throw new RangeError("a table longer than its box");
  const [durations, shifts, syncs] = [spread(bytes, stbl, "stts"), spread(bytes, stbl, "ctts"), keysOf(bytes, stbl)];
  return Array.from({ length: count }, (_, number) => ({
    duration: durations(number),
    size: same || stsz.u32(),
    isSync: syncs === null || syncs.has(number + 1),
    shift: shifts(number) | 0,
  }));
}

/** The values of a table that says how often each follows itself, to be asked for in order; 0 where there is none. */
function spread(bytes: Uint8Array, stbl: Box, type: "stts" | "ctts"): (number: number) => number {
  const fields = table(bytes, stbl, type);
  let [left, until, value] = [fields?.u32() ?? 0, 0, 0];
  return (number) => {
    for (; fields && number >= until && left > 0; left--) [until, value] = [until + fields.u32(), fields.u32()];
    return number < until ? value : 0;
  };
}

function keysOf(bytes: Uint8Array, stbl: Box): ReadonlySet<number> | null {
  const stss = table(bytes, stbl, "stss");
  return stss ? new Set(Array.from({ length: stss.u32() }, () => stss.u32())) : null;
}

function chunksOf(bytes: Uint8Array, stbl: Box): { offset: number; count: number; description: number }[] {
  const [stsc, stco, co64] = [table(bytes, stbl, "stsc"), table(bytes, stbl, "stco"), table(bytes, stbl, "co64")];
  const places = stco ?? co64;
  if (!stsc || !places) return [];
  const kinds = Array.from({ length: stsc.u32() }, () => ({
    first: stsc.u32(),
    count: stsc.u32(),
    description: stsc.u32(),
  }));
  return Array.from({ length: places.u32() }, (_, number) => {
    const kind = kinds.findLast(({ first }) => first <= number + 1);
    const { count = 0, description = 1 } = kind ?? {};
    return { offset: stco ? stco.u32() : places.u64(), count, description };
  });
}

function table(bytes: Uint8Array, stbl: Box, type: string): Fields | null {
  const box = boxDown(bytes, stbl, type);
  return box && new Fields(bytes, box).full();
}
