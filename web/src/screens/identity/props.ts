import type { IdentityPhase } from "../../state/identity.svelte";
import type { Failure, FrameView } from "../views";

export interface IdentityProps {
  frame: FrameView;
  state: IdentityPhase;
  /** The provider has just said who the person is: it waits for a yes. */
  isProved: boolean;
  working: boolean;
  failure: Failure | null;
  told: "linked" | "unlinked" | null;
  now: number;
  onlink: () => void;
  ondrop: () => void;
  onunlink: () => void;
  onretry: () => void;
}
