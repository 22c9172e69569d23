import type { NewCodeStep, Told, WaysInState } from "../../state/ways-in.svelte";
import type { Failure, FrameView } from "../views";

export interface WaysInProps {
  state: WaysInState;
  /** Whether a passkey can be added here. */
  hasPasskeys: boolean;
  /** How the provider of identities is called that may find the mailbox, or empty. */
  provider: string;
  working: boolean;
  /** Why the last change came to nothing. */
  failure: Failure | null;
  told: Told | null;
  /** A passkey is made, and must be touched once more. */
  again: boolean;
  now: number;
  go: (path: string) => void;
  /** Makes six words. */
  suggest: () => Promise<string>;
  onadd: () => void;
  ondrop: () => void;
  onrename: (id: string, label: string) => void;
  onremove: (id: string) => void;
  onwords: (words: { passphrase: string; own: boolean }) => void;
  onretry: () => void;
}

export interface NewCodeProps {
  frame: FrameView;
  step: NewCodeStep | null;
  oncopy: () => void;
  onsave: () => void;
  onprint: () => void;
  onwritten: () => void;
  onprove: (groups: readonly [string, string]) => void;
  onshow: () => void;
}
