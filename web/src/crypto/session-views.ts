// What a page is shown of the unlocked account, and what it may change.

import type { Device, Method } from "./keyring";
import type { Identity } from "./age";
import type { OpenedEnvelope } from "./receiving";

/** What a page may know of the account. */
export interface AccountView {
  readonly acct: string;
  /** The signing public key, base64url: the device remembers it. */
  readonly sign: string;
  readonly fp: string;
  readonly rev: number;
  readonly methods: readonly Omit<Method, "recipient">[];
  readonly devices: readonly Omit<Device, "recipient">[];
  /** The server gave an older keyring than this device has seen: warn. */
  readonly isRolledBack: boolean;
}

/** A new account: post `record`, `keyring` and `unlock`; show passphrase and code once. */
export interface NewAccount {
  readonly account: AccountView;
  readonly record: string;
  readonly keyring: string;
  readonly unlock: readonly { type: "passphrase" | "recovery"; bearer: string; salt: string | null }[];
  readonly passphrase: string;
  readonly recoveryCode: string;
}

/** What is known of another account. */
export interface PersonView {
  readonly acct: string;
  readonly fp: string;
  readonly rev: number;
  /** Nothing was known before. */
  readonly isNew: boolean;
  /** Another key than before, approved by the old one. */
  readonly hasNewKey: boolean;
  readonly isVerified: boolean;
  /** Has not been here for a while. */
  readonly isExpired: boolean;
}

/** A change of the keyring; after each, put what `changeKeyring` returns. */
export type KeyringChange =
  | { kind: "add-device"; did: string; label: string; identity: Identity; nowMs: number }
  | { kind: "drop-device"; did: string }
  | { kind: "add-passphrase"; passphrase: string; salt: string; label: string; nowMs: number }
  | { kind: "drop-method"; mid: string }
  | { kind: "rotate"; nowMs: number };

export interface SealedKeyring {
  readonly sealed: Uint8Array<ArrayBuffer>;
  readonly rev: number;
}

/** An envelope that passed every check that could be made; `unread` names shards without which a replay is not seen. */
export interface ReceivedEnvelope extends OpenedEnvelope {
  readonly unread: readonly string[];
}
