import { type Box, boxesIn } from "./boxes.ts";
import type { Fragment, Head, Media } from "./fragments.ts";
import { indexOf, type TrackTable } from "./index-box.ts";
import { listedRuns } from "./listed.ts";
import { type Defaults, defaultsOf, type Run, runsOf, sum } from "./samples.ts";

/** A box of 32 bytes: isom, which fits isom, iso2, avc1, mp41. */
const FTYP = new Uint8Array([
  ...[0, 0, 0, 32, 0x66, 0x74, 0x79, 0x70, 0x69, 0x73, 0x6f, 0x6d, 0, 0, 2, 0],
  ...[0x69, 0x73, 0x6f, 0x6d, 0x69, 0x73, 0x6f, 0x32, 0x61, 0x76, 0x63, 0x31, 0x6d, 0x70, 0x34, 0x31],
]);
const MDAT_HEADER = 8;

/**
 * Turns fragments, one after the other, into an ordinary MP4 with its index in front. Samples are not looked at; each fragment's
 * go to the browser as a blob, which keeps many of them on its disk, so that the film lies in memory at no time.
 */
export class Faststart {
  readonly #head: Uint8Array;
  readonly #moov: Box;
  readonly #defaults: Defaults;
  readonly #tables = new Map<number, TrackTable>();
  readonly #pieces: Blob[] = [];
  /** Of the head's own tables; what they are about has not been seen yet. */
  #listed: Run[];
  #size = 0;

  /** Throws RangeError for a head without an index. */
  constructor(head: Head) {
    const moov = boxesIn(head.bytes, 0, head.bytes.length).find(({ type }) => type === "moov");
    if (!moov) throw new RangeError("no moov box");
    this.#head = head.bytes;
    this.#moov = moov;
    this.#defaults = defaultsOf(head.bytes, moov);
    for (const { id } of head.movie.tracks)
      this.#tables.set(id, { samples: [], chunks: [], startTime: 0, nextTime: 0 });
    this.#listed = head.movie.isMixed ? listedRuns(head.bytes, moov) : [];
    this.addMedia({ bytes: head.bytes, start: 0 });
  }

  /** Takes the samples of the head's own tables that lie in these bytes. */
  addMedia({ bytes, start }: Pick<Media, "bytes" | "start">): void {
    const end = start + bytes.length;
    const isHere = ({ offset, samples }: Run): boolean => offset >= start && offset + sum(samples, "size") <= end;
    const here = this.#listed.filter(isHere);
    this.#listed = this.#listed.filter((run) => !isHere(run));
    if (here.length === 0) return;
    const from = Math.min(...here.map(({ offset }) => offset));
    const to = Math.max(...here.map(({ offset, samples }) => offset + sum(samples, "size")));
    for (const run of here) this.#list(run, run.offset - from);
    this.#keep(bytes.subarray(from - start, to - start));
  }

  /** Throws RangeError where a sample does not lie within its fragment. */
  add(fragment: Fragment): void {
    const { bytes, start } = fragment;
    const from = boxesIn(bytes, 0, bytes.length).at(-1)?.body ?? 0;
    for (const run of runsOf(bytes, start, this.#defaults)) {
      if (run.samples.length === 0) continue;
      if (run.offset < from || run.offset + sum(run.samples, "size") > bytes.length) {
        throw new RangeError("a sample outside of its fragment");
      }
      this.#list(run, run.offset - from);
    }
    this.#keep(bytes.subarray(from));
  }

  /** Throws RangeError where samples that the head lists were not there. */
  file(): Blob {
    if (this.#listed.length > 0) throw new RangeError("samples that are missing");
    const index = indexOf(this.#head, this.#moov, this.#tables, FTYP.length + MDAT_HEADER);
    const mdat = new Uint8Array([0, 0, 0, 0, 0x6d, 0x64, 0x61, 0x74]);
    new DataView(mdat.buffer).setUint32(0, this.#size + MDAT_HEADER);
    return new Blob([FTYP, index, mdat, ...this.#pieces], { type: "video/mp4" });
  }

  /** Notes samples of what is kept next, from a place in it on. */
  #list(run: Run, offset: number): void {
    const table = this.#tables.get(run.trackId);
    if (!table) return;
    follow(table, run);
    const { samples, description } = run;
    table.chunks.push({ offset: this.#size + offset, count: samples.length, description });
  }

  #keep(bytes: Uint8Array): void {
    this.#pieces.push(new Blob([bytes as Uint8Array<ArrayBuffer>]));
    this.#size += bytes.length;
  }
}

/** A time that the next run names is the true end of the sample before: an ordinary MP4 knows durations only. */
function follow(table: TrackTable, { decodeTime, samples }: Run): void {
  const last = table.samples.at(-1);
  if (!last) table.startTime = table.nextTime = decodeTime;
  else last.duration = Math.max(0, last.duration + decodeTime - table.nextTime);
  table.nextTime = decodeTime + sum(samples, "duration");
  table.samples.push(...samples);
}
