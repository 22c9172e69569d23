/** What a page and the recorder worker say to each other. */

import type { PictureFeed } from "../media/feeds";
import type { FileFacts } from "../media/file-refused";
import type { Cut } from "../media/footage";
import type { EncodeOptions, TakeEnd } from "../media/encode";
import type { DraftCall } from "../storage/drafts";

/** `now` cannot travel; a test gives `clockRate` to make media time run faster. */
export type RecordOptions = Omit<EncodeOptions, "now"> & { clockRate?: number };

export type { Cut } from "../media/footage";

/** To make a draft of a file or of another draft, or to change one by its picture. */
export type MakingOrder =
  | {
      type: "import";
      id: string;
      acct: string;
      createdMs: number;
      file: Blob;
      cut: Cut | null;
      sound: "keep" | "leave-out";
      call?: DraftCall;
    }
  | { type: "trim"; id: string; old: string; cut: Cut }
  | { type: "poster"; id: string; ms: number };

/** Feeds that the worker encodes, or a take that the page encodes, where workers cannot. */
export type RecordSource = { video: PictureFeed; audio: MessagePort | null } | { made: MessagePort };

export type Order =
  | MakingOrder
  | { type: "cancel" }
  | {
      type: "record";
      id: string;
      acct: string;
      createdMs: number;
      source: RecordSource;
      options: RecordOptions;
      /** By whose leave it goes up, without an account. */
      call?: DraftCall;
    }
  /** A take will begin soon: what takes long to load is loaded now. */
  | { type: "prepare" }
  /** Of what happened to the devices, for the take's record. */
  | { type: "note"; kind: string; why: string | null }
  | { type: "carry"; id: string }
  | { type: "recover"; id: string }
  | { type: "pause" | "resume" | "stop" | "discard" };

export type News =
  | { type: "started" }
  | { type: "progress"; mediaMs: number }
  /** The size of the pictures, at first and whenever it is changed to what the device sustains. */
  | { type: "quality"; width: number; height: number; isBehind: boolean }
  /** On the disk of this device, flushed, up to this moment of the take. */
  | { type: "kept"; ms: number }
  /** On the server, flushed; `bytes` of `total`, which is null while it is recorded. */
  | { type: "stored"; ms: number; bytes: number; total: number | null }
  | { type: "trouble"; code: string | null }
  | { type: "ended"; end: TakeEnd | "device-full" }
  /** The take is complete on this device and can be looked at and sent. */
  | { type: "complete"; ms: number; bytes: number }
  /** The server has all of it. */
  | { type: "brought" }
  | { type: "recovered"; id: string; ms: number }
  | { type: "discarded" }
  /** So much of a file or a cut is encoded, 0 to 1. */
  | { type: "making"; done: number }
  /** What was asked for is kept; it may still be on its way to the server. */
  | { type: "made"; id: string }
  /** Nothing was made, and nothing of it is left. */
  | { type: "refused"; code: string; facts: FileFacts }
  | { type: "failed"; code: string };

/** How much of a draft is up; never rounded up to 100. */
export function percentOf(bytes: number, total: number | null): number | null {
  return total === null || total === 0 ? null : Math.min(100, Math.floor((100 * bytes) / total));
}
