import type { Failure, FrameView } from "../views";

export interface OperatorLinkProps {
  frame: FrameView;
  /**
   * - `none`: the address names no link.
   * - `done`: `phones` is the page by which telephones of this network learn to trust the server, or empty.
   */
  state:
    { kind: "none" } | { kind: "asking"; working: boolean; failure: Failure | null } | { kind: "done"; phones: string };
  onclaim: () => void;
}
