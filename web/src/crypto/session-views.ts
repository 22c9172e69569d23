// What a page is shown of the unlocked account, and what it may change.

import type { Device, Method } from "./keyring";
import type { Identity } from "./age";
import type { ReceiptKind } from "./receipts";
import type { OpenedEnvelope } from "./receiving";
import type { SafetyNumber } from "./safety";

/** What a page may know of the account. */
export interface AccountView {
  readonly acct: string;
  /** The signing public key, base64url: the device remembers it. */
  readonly sign: string;
  readonly fp: string;
  readonly rev: number;
  readonly methods: readonly Omit<Method, "recipient">[];
  readonly devices: readonly Omit<Device, "recipient">[];
  /** When the encryption key that others seal to was made. */
  readonly sealingSince: number;
  /** How many encryption keys are kept only to open what was sealed to them. */
  readonly retired: number;
  /** Earlier state keys, by fingerprints: shards may still be sealed to them. */
  readonly formerStates: readonly string[];
  /** How many signing keys there were before, each of which named the next. */
  readonly formerKeys: number;
  /** The server gave an older keyring than this device has seen: warn. */
  readonly isRolledBack: boolean;
}

/** `passphrase` null: one is made. */
export interface WantedAccount {
  readonly acct: string;
  readonly passphrase: string | null;
  readonly nowMs: number;
  /** It gets no passphrase: `add-passkey` follows before anything is posted. */
  readonly byPasskey?: boolean;
}

/** A new account: post `record`, `keyring` and `unlock`; show passphrase and code once. */
export interface NewAccount {
  readonly account: AccountView;
  readonly record: string;
  readonly keyring: string;
  readonly unlock: readonly { type: "passphrase" | "recovery"; bearer: string; salt: string | null }[];
  /** Empty where a passkey unlocks. */
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

/** The safety number with an account, for this signing key of theirs (base64url). */
export interface NumberWith extends SafetyNumber {
  readonly sign: string;
}

/** A change of the keyring; after each, put what `changeKeyring` returns. */
export type KeyringChange =
  | { kind: "add-device"; did: string; label: string; identity: Identity; nowMs: number }
  | { kind: "drop-device"; did: string }
  /** A machine that showed its public key. */
  | { kind: "pair-device"; did: string; label: string; recipient: string; nowMs: number }
  /** In place of the one before. */
  | { kind: "set-passphrase"; passphrase: string; nowMs: number }
  /** Likewise; `code` as it is written down. */
  | { kind: "set-recovery"; code: string; nowMs: number }
  /** Of the passkey whose PRF was offered, and proved. */
  | { kind: "add-passkey"; mid: string; label: string; nowMs: number }
  | { kind: "rename-method"; mid: string; label: string }
  | { kind: "drop-method"; mid: string }
  /** Nothing but the next rev: for a way in that does not open the keyring. */
  | { kind: "reseal" }
  | { kind: "rotate"; nowMs: number }
  /** And a new state key. */
  | { kind: "rotate-signing"; nowMs: number }
  /** Earlier state keys to which nothing is sealed any more. */
  | { kind: "forget-states"; states: readonly string[] }
  /** All but this device are dropped, and all keys are new: another device is in hostile hands. */
  | { kind: "shut-out"; keep: string | null; nowMs: number };

export interface SealedKeyring {
  readonly sealed: Uint8Array<ArrayBuffer>;
  readonly rev: number;
  /** Of a new way in: what the server takes for it. */
  readonly bearer: string | null;
  readonly salt: string | null;
}

/** An envelope that passed every check that could be made; `unread` names shards without which a replay is not seen. */
export interface ReceivedEnvelope extends OpenedEnvelope {
  readonly unread: readonly string[];
}

/** Of a received message, what a receipt says; `signer` and `details` base64url. */
export interface Receivable {
  readonly id: string;
  /** Acct of who signed it. */
  readonly from: string;
  readonly signer: string;
  readonly details: string;
}

/** Of a sent message, what its receipts must fit: by the own copy. */
export interface SentMessage {
  readonly id: string;
  readonly details: string;
  readonly sentTo: readonly string[];
}

/** What the server hands out as somebody's receipt. */
export interface GivenReceipt {
  /** Acct. */
  readonly by: string;
  readonly kind: ReceiptKind;
  readonly raw: string;
}

/** `code`: why it confirms nothing; `at`: when they signed it. */
export interface CheckedReceipt {
  readonly code: string | null;
  readonly at: number;
}
