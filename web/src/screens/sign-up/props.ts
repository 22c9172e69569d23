import type { SignUpStep } from "../../state/sign_up.svelte";

export interface SignUpProps {
  /**
   * `name`: choosing name and passphrase; `working`: keys are made (slow on purpose); `code`: the recovery code is shown;
   * `prove`: two of its groups are asked for, counted from 1. `failure` belongs to the step that is shown.
   */
  step: SignUpStep;
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
