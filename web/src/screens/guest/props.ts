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
  onsave: () => void;
  onretry: () => void;
}
