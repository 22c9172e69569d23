import {
  ADTS,
  FLAC,
  Input,
  type InputAudioTrack,
  type InputTrack,
  type InputVideoTrack,
  MATROSKA,
  MP3,
  MP4,
  MPEG_TS,
  OGG,
  QTFF,
  type Source,
  UnsupportedInputFormatError,
  WAVE,
  WEBM,
} from "mediabunny";
import { RECORDING_TOLERATED_MS } from "../protocol/limits.ts";
import { FileRefused } from "./file-refused.ts";

/** Those of sound alone are known so that they can be called by their name. */
const FORMATS = [MP4, QTFF, WEBM, MATROSKA, MPEG_TS, OGG, MP3, WAVE, ADTS, FLAC];
const ENCRYPTED = new Set(["encv", "enca", "drmi", "drms"]);

export interface Cut {
  fromMs: number;
  toMs: number;
}

export interface FootageWish {
  /** Which stretch; null: all of it, which may then not be longer than three minutes. */
  cut: Cut | null;
  sound: "keep" | "leave-out";
}

/** A video that can be decoded here, and which stretch of it is wanted, in its own time. */
export interface Footage {
  readonly picture: InputVideoTrack;
  readonly sound: InputAudioTrack | null;
  readonly fromS: number;
  readonly toS: number;
  /** What the file says of its length; null: nothing. */
  readonly claimMs: number | null;
  close(): void;
}

/** Opens any video for reading. @throws FileRefused; what reading the source throws */
export async function openFootage(source: Source, wish: FootageWish): Promise<Footage> {
  const input = new Input({ source, formats: FORMATS });
  try {
    return await examined(input, wish);
  } catch (error) {
    input.dispose();
    throw error instanceof UnsupportedInputFormatError ? new FileRefused("file-unknown", {}, { cause: error }) : error;
  }
}

async function examined(input: Input, { cut, sound: wanted }: FootageWish): Promise<Footage> {
  await input.getFormat();
  const picture = await damagedUnless(input.getPrimaryVideoTrack());
  if (!picture) throw new FileRefused("file-no-picture");
  await assertDecodable(picture, "picture");
  const sound = wanted === "keep" ? await damagedUnless(input.getPrimaryAudioTrack()) : null;
  if (sound) await assertDecodable(sound, "sound");
  const tracks = sound ? [picture, sound] : [picture];
  const originS = Math.max(0, await damagedUnless(input.getFirstTimestamp(tracks)));
  const claimMs = await lengthOf(input, tracks, originS, cut);
  const [fromMs, toMs] = cut ? [cut.fromMs, cut.toMs] : [0, Infinity];
  const times = { fromS: originS + fromMs / 1000, toS: originS + toMs / 1000 };
  return { picture, sound, ...times, claimMs, close: () => input.dispose() };
}

/** Refuses before anything is made. Only when the header claims too much, or nothing, are the packets asked. */
async function lengthOf(input: Input, tracks: InputTrack[], originS: number, cut: Cut | null): Promise<number | null> {
  const claimS = await damagedUnless(input.getDurationFromMetadata(tracks));
  const claimMs = claimS === null ? null : (claimS - originS) * 1000;
  if (cut !== null || (claimMs !== null && claimMs <= RECORDING_TOLERATED_MS)) return claimMs;
  const ms = Math.round(((await damagedUnless(input.computeDuration(tracks))) - originS) * 1000);
  if (ms > RECORDING_TOLERATED_MS) throw new FileRefused("file-too-long", { ms });
  return ms;
}

async function assertDecodable(track: InputTrack, kind: "picture" | "sound"): Promise<void> {
  const name = await track.getInternalCodecId();
  if (typeof name === "string" && ENCRYPTED.has(name)) throw new FileRefused("file-protected");
  const codec = (await track.getCodec()) ?? (typeof name === "string" ? name.trim() : "");
  if (await track.canDecode()) return;
  throw new FileRefused("file-undecodable", codec === "" ? { track: kind } : { track: kind, codec });
}

/** What a reader of file formats stumbles over in the middle is the file's fault. */
export async function damagedUnless<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    // What our own storage and crypto say of a draft has a code, and is passed on.
    const isOurs = error instanceof Error && "code" in error && typeof error.code === "string";
    if (isOurs || error instanceof UnsupportedInputFormatError) throw error;
    throw new FileRefused("file-damaged", {}, { cause: error });
  }
}
