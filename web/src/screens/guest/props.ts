import type { PlaybackView } from "../../ui/playback.svelte";
import type { Failure } from "../views";

export interface GuestProps {
  state:
    | { kind: "incomplete" | "looking" | "ready" }
    | { kind: "password"; wrong: boolean; busy: boolean }
    | { kind: "sealed"; busy: boolean }
    | { kind: "cut-off" | "damaged"; atMs: number }
    | { kind: "failed"; failure: Failure };
  /** From whom; null until it is known. */
  about: { name: string | null; acct: string | null; isSigned: boolean; createdMs: number } | null;
  caption: string;
  playback: PlaybackView | null;
  /** Whether the sender lets it be kept. */
  maySave: boolean;
  saving: number | null;
  now: number;
  go: (path: string) => void;
  onlanguage: (locale: string) => void;
  onpassword: (password: string) => void;
  /** Opens it, which counts. */
  onopen: () => void;
  /** They may answer by video. */
  mayAnswer: boolean;
  entering: boolean;
  /** Why that did not begin. */
  answerFailure: Failure | null;
  /** A take of before lies here. */
  kept: boolean;
  onanswer: () => void;
  onlook: () => void;
  onkeep: () => void;
  onsave: () => void;
  onretry: () => void;
}
