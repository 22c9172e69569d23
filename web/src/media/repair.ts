import { FragmentReader, type Unit } from "./fragments.ts";
import { leadTrack } from "./movie.ts";

/** What a cut recording holds: a valid MP4 that ends with its last whole fragment. */
export interface Film {
  data: Uint8Array<ArrayBuffer>;
  ms: number;
  width: number;
  height: number;
  /** Full MIME type. */
  type: string;
}

/** Ends the beginning of a fragmented MP4 after its last whole fragment; null when it holds none, or is no MP4. */
export function endPrefix(bytes: Uint8Array): Film | null {
  const units = unitsOf(bytes);
  const head = units.find((unit) => unit.kind === "head");
  const fragments = units.filter((unit) => unit.kind === "fragment");
  const lead = head && leadTrack(head.movie);
  const last = fragments.at(-1);
  if (!head || !lead || !last) return null;
  const ms = Math.round(Math.max(...fragments.map(({ lastS }) => lastS)) * 1000);
  return { data: bytes.slice(0, last.end), ms, width: lead.width, height: lead.height, type: head.movie.type };
}

/** Everything whole before the place where the bytes stop making sense. */
function unitsOf(bytes: Uint8Array): Unit[] {
  const reader = new FragmentReader();
  const units: Unit[] = [];
  const PIECE = 1 << 20;
  try {
    for (let at = 0; at < bytes.length; at += PIECE) units.push(...reader.push(bytes.subarray(at, at + PIECE)));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return units;
}
