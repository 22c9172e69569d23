import type { Failure } from "../views";

export interface WelcomeProps {
  /**
   * `closed`: the server takes no new accounts; `failed`: it did not answer. Both leave the sign-in open.
   */
  state: { kind: "loading" } | { kind: "ready" } | { kind: "closed" } | { kind: "failed"; failure: Failure };
  go: (path: string) => void;
  onlanguage: (locale: string) => void;
  onretry: () => void;
}
