import type { Opens, OpensWish } from "../../state/availability.svelte";
import type { Failure } from "../views";

export type { Opens, OpensWish };

/** Whether sending is open here, and what to do when it is not. */
export interface OpensProps {
  /** Null: nobody knows, and nothing is said. */
  opens: Opens | null;
  /** What is being asked for. */
  working: OpensWish | null;
  refused: { what: OpensWish; failure: Failure } | null;
  /** It was shut until just now. */
  opened: boolean;
  go: (path: string) => void;
  oncountry: (code: string) => void;
  oninvite: (typed: string) => void;
  ontold: (isWanted: boolean) => void;
}
