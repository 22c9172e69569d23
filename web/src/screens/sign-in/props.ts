import type { Failure } from "../views";

export interface SignInProps {
  /** `working`: the passphrase is stretched (about a second), then the mailbox is unlocked. */
  state: { kind: "ready" } | { kind: "working" } | { kind: "failed"; failure: Failure } | { kind: "offline" };
  /** The address that was signed in here before, if any. */
  account: string;
  go: (path: string) => void;
  onlanguage: (locale: string) => void;
  onsignin: (entered: { account: string; secret: string; way: "passphrase" | "recovery"; keep: boolean }) => void;
}
