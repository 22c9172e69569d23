import type { Failure, FrameView, PersonView } from "../views";

/**
 * - `kept`: whole, waits for a person.
 * - `interrupted`: cut short; looking at it makes it whole.
 * - `elsewhere`: another window records it or brings it up.
 * - `going`: a person pressed send; `held` says why it waits.
 * - `refused`: it was not taken; a person must help.
 * - `evicted`: the browser has cleared it; only its name is left.
 */
export type DraftPhase =
  | { kind: "kept" | "interrupted" | "elsewhere" | "evicted" }
  | { kind: "going"; percent: number; held: "offline" | "server-full" | "signed-out" | "plan" | null }
  | { kind: "refused"; failure: Failure };

export interface DraftItem {
  id: string;
  picture: string | null;
  /** Null while it is not known: it was cut short. */
  durationMs: number | null;
  recordedAt: number;
  phase: DraftPhase;
  /** For whom it was addressed. */
  recipients: readonly PersonView[];
}

export interface DraftsProps {
  frame: FrameView;
  /** The newest first. */
  items: readonly DraftItem[];
  /** Whether this device is still being looked through. */
  loading: boolean;
  /** A take was just deleted and can still be brought back. */
  deleted: string | null;
  now: number;
  /** To its review: to look at it, address it, send it. */
  onopen: (draftId: string) => void;
  onsave: (draftId: string) => void;
  ondelete: (draftId: string) => void;
  /** Goes on with what waits, at once. */
  onresume: (draftId: string) => void;
  onundo: (draftId: string) => void;
}
