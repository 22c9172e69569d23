import type { PlaybackView } from "../../ui/playback.svelte";
import type { Failure, ForwardView, FrameView, GroupView, PersonView, ReportReason, ReportView } from "../views";

export interface WatchedMessage {
  id: string;
  from: PersonView | null;
  /** How somebody without an account calls themselves, empty: not at all; null: it is none such. */
  caller: string | null;
  /** The caller has left a link for the answer. */
  mayReply: boolean;
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
  /** Nobody is told of both. */
  hushed: boolean;
  /** Who passed it on; then `from` is whose it was, or null where nothing vouches for that. */
  passedBy: PersonView | null;
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

/** What its owner does with a message that was received. */
export interface DealingView {
  kept: boolean;
  archived: boolean;
  mayForward: boolean;
  /** To whom it could be passed on. */
  people: readonly PersonView[];
  /** Of those people. */
  groups: readonly GroupView[];
  forwarding: ForwardView;
  reporting: ReportView;
  onkeep: (isKept: boolean) => void;
  onarchive: (isArchived: boolean) => void;
  onforward: (accounts: readonly string[]) => void;
  onreport: (report: { reason: ReportReason; note: string; block: boolean }) => void;
  /** A dialog is opened or closed: what became of the last time is over. */
  onreset: () => void;
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
  /** Null for one's own. */
  dealing: DealingView | null;
  /** Why a wish was not kept. */
  refused: Failure | null;
  /** Percent of the file that is written, while it is saved. */
  saving: number | null;
  now: number;
  onback: () => void;
  onsave: () => void;
  onanswer: () => void;
  /** Answers a caller. */
  onreply: () => void;
  /** To all that went between the two. */
  ontalk: () => void;
  ondelete: () => void;
  onretry: () => void;
  onnext: () => void;
}
