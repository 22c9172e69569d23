import type { PlaybackView } from "../../ui/playback.svelte";
import type { Failure, FrameView, PersonView } from "../views";

export interface WatchedMessage {
  id: string;
  from: PersonView | null;
  caption: string;
  picture: string | null;
  durationMs: number;
  /** Of the file; null while unknown. */
  bytes: number | null;
  sentAt: number;
  /** What the sender can see. */
  deliveredAt: number | null;
  playedAt: number | null;
  /** When it ends for everybody; null: when somebody deletes it. */
  endsAt: number | null;
  /** The sender asks that it be watched once. */
  once: boolean;
  /** Words instead of a video. */
  isText: boolean;
}

/** What was said about this one, or what it answers. */
export interface RelatedView {
  id: string;
  words: string;
  who: string;
  path: string;
}

export interface WatchProps {
  frame: FrameView;
  state:
    | { kind: "opening" }
    | { kind: "ready" }
    /** The video ends before its time. It plays up to there. */
    | { kind: "cut-off"; atMs: number }
    /** A part is not what the sender signed. It plays up to there. */
    | { kind: "damaged"; atMs: number }
    /** It cannot be shown at all. */
    | { kind: "refused"; failure: Failure }
    /** Not on this device, and no network. */
    | { kind: "offline" };
  /** Null until the envelope and the details are open, or when they do not open. */
  message: WatchedMessage | null;
  playback: PlaybackView | null;
  /** The network is away while it plays; it goes on by itself. */
  held: boolean;
  /** Where it goes on, when it was left in the middle. */
  leftMs: number;
  /** What waits next, to be offered at the end. */
  /** What it answers, then what answers it, in their order. */
  thread: readonly RelatedView[];
  next: { name: string; durationMs: number } | null;
  /** Percent of the file that is written, while it is saved. */
  saving: number | null;
  now: number;
  onback: () => void;
  onsave: () => void;
  onanswer: () => void;
  /** To all that went between the two. */
  ontalk: () => void;
  ondelete: () => void;
  onretry: () => void;
  onnext: () => void;
}
