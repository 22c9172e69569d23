import type { DeliveryView, Failure, FrameView, PersonView } from "../views";

/** Something that was said, by either side. */
export interface LineView {
  id: string;
  isMine: boolean;
  at: number;
  /** Null when it does not open. */
  kind: "video" | "text" | "reaction" | null;
  text: string;
  picture: string | null;
  durationMs: number;
  failure: Failure | null;
  deliveredAt: number | null;
  playedAt: number | null;
  /** What its recipient signed of it. */
  confirmed?: NonNullable<DeliveryView["confirmed"]>;
  /** What it answers; `null` inside: that is not here any more. */
  answers: { id: string; words: LineView | null } | null;
  reactions: readonly { isMine: boolean; text: string }[];
  /** Words that are not on the server yet; `failure` tells whether a person must help. */
  isGoing: boolean;
}

export interface ConversationProps {
  frame: FrameView;
  person: PersonView;
  /** They wrote first and were not decided about: their pictures are blurred. */
  request?: boolean;
  state: { kind: "loading" } | { kind: "ready" } | { kind: "offline" } | { kind: "failed"; failure: Failure };
  /** The oldest first. */
  lines: readonly LineView[];
  /** The line that is being answered. */
  answering: LineView | null;
  /** Longest words, in UTF-8 bytes. */
  textBytes: number;
  /** Why the last words were not kept. */
  refused: Failure | null;
  now: number;
  onback: () => void;
  onanswering: (id: string | null) => void;
  /** Tells whether they were kept. */
  onwrite: (text: string) => Promise<boolean>;
  onreact: (reaction: string) => void;
  onrecord: () => void;
  onwatch: (id: string) => void;
  /** Words that did not leave: once more, or given up. */
  onagain: (id: string) => void;
  ondrop: (id: string) => void;
  onretry: () => void;
}
