import type { DraftView, Failure, FrameView, OutgoingView, PersonView, ReportReason, ReportView } from "../views";

export interface InboxItem {
  id: string;
  kind: "video" | "text" | "reaction";
  /** Null when nobody we know sent it, or it cannot be opened. */
  from: PersonView | null;
  /** How somebody without an account calls themselves, empty: not at all; null: it is none such. */
  caller: string | null;
  caption: string;
  /** Address of the poster; null without one. */
  picture: string | null;
  durationMs: number;
  sentAt: number;
  playedAt: number | null;
  /** Plays without the network. */
  onDevice: boolean;
  /** Why it cannot be opened. */
  failure: Failure | null;
  /** Of somebody who wrote first, and about whom nothing was decided. */
  request: boolean;
  /** One of the same sender's may be missing before it. */
  gap: boolean;
  /** Stands above the others. */
  kept: boolean;
  /** Who passed it on; null: it came from who left it. */
  passedBy: PersonView | null;
}

export interface InboxProps {
  frame: FrameView;
  state:
    | { kind: "loading" }
    | { kind: "ready" }
    /** `lookedAt`: when the list was last fetched; null when it never was. */
    | { kind: "offline"; lookedAt: number | null }
    | { kind: "failed"; failure: Failure; lookedAt: number | null };
  /** In the order they are shown: unplayed first, newest first. */
  items: readonly InboxItem[];
  outgoing: readonly OutgoingView[];
  drafts: readonly DraftView[];
  /** How many takes lie on this device, these and others. */
  takes: number;
  /** The newest one that came while the list was open, for readers. */
  arrived: InboxItem | null;
  /** What was just deleted and can still be brought back. */
  deleted: { id: string; name: string } | null;
  now: number;
  /** To where it is watched or read. */
  onopen: (path: string) => void;
  ondelete: (messageId: string) => void;
  /** How many are out of the way. */
  archived: number;
  /** Of who wrote first, while it is told to the operator; null: nothing is. */
  report: { name: string; state: ReportView } | null;
  onreport: (report: { reason: ReportReason; note: string; block: boolean }) => void;
  onreportclose: () => void;
  /** About who wrote first: taken among the people, passed over, or never heard again. */
  ondecide: (messageId: string, decision: "accept" | "ignore" | "block" | "report") => void;
  onundo: (messageId: string) => void;
  onretry: () => void;
  ondraft: (draftId: string) => void;
  onsavedraft: (draftId: string) => void;
  ondeletedraft: (draftId: string) => void;
}
