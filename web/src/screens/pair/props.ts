import type { Failure, FrameView } from "../views";

export interface AskingView {
  /** What the machine calls itself. */
  label: string;
  words: readonly string[];
}

export interface PairProps {
  frame: FrameView;
  /** - `none`: the address names no pairing. */
  state:
    | { kind: "loading" }
    | { kind: "none" }
    | { kind: "asking"; asking: AskingView; working: boolean; failure: Failure | null }
    | { kind: "approved"; asking: AskingView; working: boolean; failure: Failure | null }
    | { kind: "refused" | "undone"; asking: AskingView }
    | { kind: "failed"; failure: Failure };
  onapprove: () => void;
  onrefuse: () => void;
  onundo: () => void;
  onretry: () => void;
}
