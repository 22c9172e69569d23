import { type Box, boxAt, boxDown, boxesIn, Fields } from "./boxes.ts";

/** One track as the moov box describes it. */
export interface Track {
  id: number;
  kind: "video" | "audio" | "other";
  timescale: number;
  width: number;
  height: number;
  /** RFC 6381, such as `avc1.64001f`; the bare sample entry when this reader does not know the codec. */
  codec: string;
  /** The duration of a sample whose fragment names none, in the track's timescale. */
  defaultDuration: number;
}

export interface Movie {
  tracks: Track[];
  /** Whether all samples come in fragments; if not, the moov box has tables of them all, or of the first ones. */
  isFragmented: boolean;
  /** Whether the first samples are in the moov box's tables and the rest comes in fragments. */
  isMixed: boolean;
  /** Full MIME type. */
  type: string;
}

/** Reads a moov box. Throws RangeError when it is cut or not one. */
export function readMovie(bytes: Uint8Array, start = 0): Movie {
  const moov = boxAt(bytes, start);
  if (moov?.type !== "moov" || moov.end > bytes.length) throw new RangeError("no moov box");
  const defaults = defaultDurations(bytes, moov);
  const traks = boxesIn(bytes, moov.body, moov.end).filter(({ type }) => type === "trak");
  const tracks = traks.map((trak) => readTrack(bytes, trak, defaults)).filter((track) => track !== null);
  const codecs = tracks.filter((track) => track.kind !== "other").map((track) => track.codec);
  const type = codecs.length > 0 ? `video/mp4; codecs="${codecs.join(", ")}"` : "video/mp4";
  const hasFragments = boxDown(bytes, moov, "mvex") !== null;
  const isListing = traks.some((trak) => listedCount(bytes, trak) > 0);
  return { tracks, isFragmented: hasFragments && !isListing, isMixed: hasFragments && isListing, type };
}

/** The track that is looked at, or the first one of a video without pictures. */
export function leadTrack(movie: Movie): Track | undefined {
  return movie.tracks.find((track) => track.kind === "video") ?? movie.tracks[0];
}

/** How many samples the moov box's own tables have of a track. */
function listedCount(bytes: Uint8Array, trak: Box): number {
  const stsz = boxDown(bytes, trak, "mdia", "minf", "stbl", "stsz");
  return stsz ? new Fields(bytes, stsz).full().skip(4).u32() : 0;
}

function defaultDurations(bytes: Uint8Array, moov: Box): Map<number, number> {
  const mvex = boxDown(bytes, moov, "mvex");
  if (!mvex) return new Map();
  const trexes = boxesIn(bytes, mvex.body, mvex.end).filter((box) => box.type === "trex");
  return new Map(
    trexes.map((trex) => {
      const fields = new Fields(bytes, trex).full();
      const id = fields.u32();
      return [id, fields.skip(4).u32()];
    }),
  );
}

function readTrack(bytes: Uint8Array, trak: Box, defaults: Map<number, number>): Track | null {
  const tkhd = boxDown(bytes, trak, "tkhd");
  const mdhd = boxDown(bytes, trak, "mdia", "mdhd");
  const hdlr = boxDown(bytes, trak, "mdia", "hdlr");
  const stsd = boxDown(bytes, trak, "mdia", "minf", "stbl", "stsd");
  if (!tkhd || !mdhd || !hdlr || !stsd) return null;
  const head = new Fields(bytes, tkhd).full();
  const id = head.skip(head.version === 1 ? 16 : 8).u32();
  const size = new Fields(bytes, tkhd).skip(tkhd.end - tkhd.body - 8);
  const media = new Fields(bytes, mdhd).full();
  const timescale = media.skip(media.version === 1 ? 16 : 8).u32();
  const handler = new Fields(bytes, hdlr).full().skip(4).u32();
  const kind = handler === 0x76696465 ? "video" : handler === 0x736f756e ? "audio" : "other";
  return {
    id,
    kind,
    timescale,
    width: size.u32() >>> 16,
    height: size.u32() >>> 16,
    codec: kind === "other" ? "" : readCodec(bytes, stsd, kind),
    defaultDuration: defaults.get(id) ?? 0,
  };
}

const VISUAL_ENTRY = 78;
const SOUND_ENTRY = 28;

function readCodec(bytes: Uint8Array, stsd: Box, kind: "video" | "audio"): string {
  const entry = boxAt(bytes, stsd.body + 8, stsd.end);
  if (!entry) return "";
  const start = entry.body + (kind === "video" ? VISUAL_ENTRY : SOUND_ENTRY);
  for (const box of boxesIn(bytes, start, entry.end)) {
    if (box.type === "avcC") return `${entry.type}.${hex(bytes.subarray(box.body + 1, box.body + 4))}`;
    if (box.type === "vpcC") return vp9(new Fields(bytes, box).full());
    if (box.type === "av1C") return av1(new Fields(bytes, box));
    if (box.type === "esds") return mpeg4Audio(bytes.subarray(box.body + 4, box.end));
  }
  return entry.type === "Opus" ? "opus" : entry.type;
}

function vp9(fields: Fields): string {
  const [profile, level, depth] = [fields.u8(), fields.u8(), fields.u8() >>> 4];
  return ["vp09", twoDigits(profile), twoDigits(level), twoDigits(depth)].join(".");
}

function av1(fields: Fields): string {
  const profileAndLevel = fields.skip(1).u8();
  const more = fields.u8();
  const depth = more & 0x40 ? (more & 0x20 ? 12 : 10) : 8;
  const level = `${twoDigits(profileAndLevel & 31)}${more & 0x80 ? "H" : "M"}`;
  return `av01.${profileAndLevel >>> 5}.${level}.${twoDigits(depth)}`;
}

/** Walks the descriptors (ISO/IEC 14496-1): ES holds DecoderConfig holds DecoderSpecificInfo. */
function mpeg4Audio(descriptors: Uint8Array): string {
  const CONFIG = 0x04;
  const SPECIFIC = 0x05;
  let objectType = 0;
  for (let at = 0; at < descriptors.length;) {
    const tag = descriptors[at++];
    while ((descriptors[at++] ?? 0) & 0x80);
    if (tag === 0x03) at += 3;
    else if (tag === CONFIG) {
      objectType = descriptors[at] ?? 0;
      at += 13;
    } else if (tag === SPECIFIC) {
      return `mp4a.${objectType.toString(16)}.${(descriptors[at] ?? 0) >>> 3}`;
    } else break;
  }
  return "mp4a";
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
