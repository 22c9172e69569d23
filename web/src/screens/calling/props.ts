import type { PlaybackView } from "../../ui/playback.svelte";
import type { EditingView } from "../review/props";
import type { Failure } from "../views";

/** What an answering page says of itself. */
export interface PageView {
  name: string;
  note: string;
  /** The address said whose key it is. */
  isVerified: boolean;
  /** The address is one of before. */
  isEarlier: boolean;
  closed: { why: "hours"; opensAt: number | null } | { why: "link" | "account" } | null;
  hasGreeting: boolean;
}

export interface CallingProps {
  /** As the address has it. */
  name: string;
  state:
    | { kind: "looking" | "incomplete" | "nobody" }
    | { kind: "page"; page: PageView }
    | { kind: "failed"; failure: Failure };
  /** Of the greeting, once it was opened. */
  playback: PlaybackView | null;
  opening: boolean;
  /** The greeting does not open. */
  greetingFailure: Failure | null;
  /** The way in is being found. */
  entering: boolean;
  /** Why it was not. */
  enterFailure: Failure | null;
  /** A take of before lies here. */
  kept: boolean;
  now: number;
  go: (path: string) => void;
  onlanguage: (locale: string) => void;
  ongreet: () => void;
  onbegin: () => void;
  onlook: () => void;
  onsave: () => void;
  onretry: () => void;
}

export type LeaveState =
  | { kind: "opening" | "review" }
  | { kind: "sending"; percent: number; held: "offline" | "server-full" | "signed-out" | "plan" | null }
  | { kind: "left"; atMs: number; answer: string | null }
  | { kind: "failed"; failure: Failure; isKept: boolean };

/** What was recorded without an account: looked at, sent. */
export interface LeaveProps {
  state: LeaveState;
  /** By somebody without an account; as the greeting of one's page; as the answer to a caller. */
  kind: "call" | "greeting" | "answer";
  /** For whom. */
  to: string;
  playback: PlaybackView | null;
  /** How the caller calls themselves. */
  name: string;
  caption: string;
  wantsAnswer: boolean;
  /** Its captions; null while it is not open. */
  editing: Pick<EditingView, "captions" | "failure" | "done"> | null;
  saving: boolean;
  go: (path: string) => void;
  onlanguage: (locale: string) => void;
  onname: (name: string) => void;
  oncaption: (caption: string) => void;
  onanswer: (isWanted: boolean) => void;
  /** Tells whether they were taken; null takes them away. */
  oncaptions: (text: string | null) => Promise<boolean>;
  onsend: () => void;
  onagain: () => void;
  onsave: () => void;
  ondiscard: () => void;
  onretry: () => void;
  oncopy: (address: string) => void;
  ondone: () => void;
}
