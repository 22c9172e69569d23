import type { EntryView } from "../../state/entry.svelte";
import type { Chosen, SignUpStep } from "../../state/sign_up.svelte";

/** What comes before the name. */
export interface EntryProps {
  entry: EntryView;
  go: (path: string) => void;
  oncountry: (code: string) => void;
  ontellme: (mail: string) => void;
  oninvite: (code: string) => void;
  onmail: (mail: string) => void;
  oncode: (code: string) => void;
}

export interface SignUpProps extends EntryProps {
  /**
   * `name`: choosing name and way in; `working`: keys are made (slow on purpose); `code`: the recovery code is shown;
   * `prove`: two of its groups are asked for, counted from 1; `touch`, `words`: the passkey, or a passphrase in its place or
   * beside it. `failure` belongs to the step that is shown.
   */
  step: SignUpStep;
  /** What was typed before, when the first step is shown again. */
  chosen: Chosen;
  /** Null while the server is asked. */
  hasPasskeys: boolean | null;
  /** Six words, made on this device. */
  suggestion: string;
  onlanguage: (locale: string) => void;
  /** Other six words. */
  onother: () => void;
  onname: (chosen: Chosen) => void;
  oncopy: () => void;
  onsave: () => void;
  onprint: () => void;
  onwritten: () => void;
  /** The two groups as typed; the owner of the step compares them. */
  onprove: (groups: readonly [string, string]) => void;
  /** Back to the code from the proof. */
  onshow: () => void;
  ontouch: () => void;
  /** A passphrase instead of the passkey. */
  onusewords: () => void;
  onwords: (words: Pick<Chosen, "passphrase" | "own">) => void;
}
