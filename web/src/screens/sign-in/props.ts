import type { SignInState } from "../../state/session.svelte";

export interface SignInProps {
  /** `working`: the passphrase is stretched (about a second), then the mailbox is unlocked. */
  state: SignInState;
  /** Whether a passkey may open it here. */
  hasPasskeys: boolean;
  /** How the provider of identities is called that may say which mailbox is theirs, or empty. */
  provider: string;
  /** Whether something was not sent by whoever was signed out from elsewhere. */
  hasLeft: boolean;
  /** The address that was signed in here before, if any. */
  account: string;
  go: (path: string) => void;
  onlanguage: (locale: string) => void;
  onsignin: (entered: { account: string; secret: string; way: "passphrase" | "recovery"; keep: boolean }) => void;
  onpasskey: (keep: boolean) => void;
  /** Lets the browser offer passkeys where the name is typed, until the returned function is called. */
  onoffer: (keep: () => boolean) => () => void;
  /** Of what a passkey has signed in to, and does not unlock. */
  onunlock: (entered: { secret: string; way: "passphrase" | "recovery" }) => void;
  ongiveup: () => void;
}
