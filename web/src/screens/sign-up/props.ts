import type { Failure } from "../views";

export interface SignUpProps {
  /**
   * `name`: choosing name and passphrase; `working`: keys are made (slow on purpose); `code`: the recovery code is shown;
   * `prove`: two of its groups are asked for, counted from 1. `failure` belongs to the step that is shown.
   */
  step:
    | { kind: "name"; failure: Failure | null }
    | { kind: "working" }
    | { kind: "code"; groups: readonly string[]; check: string }
    | {
        kind: "prove";
        asked: readonly [number, number];
        wrong: number | null;
        begins: string;
        /** The mailbox is being opened on the server. */
        working: boolean;
        failure: Failure | null;
      };
  /** What was typed before, when the first step is shown again. */
  chosen: { account: string; passphrase: string; own: boolean };
  /** Six words, made on this device. */
  suggestion: string;
  go: (path: string) => void;
  onlanguage: (locale: string) => void;
  /** Other six words. */
  onother: () => void;
  onname: (chosen: { account: string; passphrase: string; own: boolean }) => void;
  oncopy: () => void;
  onsave: () => void;
  onprint: () => void;
  onwritten: () => void;
  /** The two groups as typed; the owner of the step compares them. */
  onprove: (groups: readonly [string, string]) => void;
  /** Back to the code from the proof. */
  onshow: () => void;
}
