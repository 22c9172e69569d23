// Refusals: something received does not keep the protocol, or something typed cannot unlock anything.
// The codes are those of docs/protocol/ and the vectors; the words that people see belong to the screens.

export const REFUSALS = [
  // containers and keys
  "container-too-large",
  "container-malformed",
  "needs-newer-version",
  "container-type",
  "signing-key-bad",
  "signature-bad",
  "signature-missing",
  "payload-malformed",
  // account records and pins
  "record-malformed",
  "record-validity",
  "record-not-self-signed",
  "record-other-account",
  "record-rollback",
  "record-chain-broken",
  "record-key-changed",
  "record-forked",
  "succession-bad",
  "safety-number-changed",
  "fingerprint-mismatch",
  // the log of account records
  "log-missing",
  "log-malformed",
  "log-signature",
  "log-key-changed",
  "log-rollback",
  "log-forked",
  "log-omission",
  "log-stranger",
  "log-unwitnessed",
  // envelopes
  "envelope-too-large",
  "envelope-no-match",
  "envelope-damaged",
  "envelope-malformed",
  "sender-not-signed",
  "signer-unnamed",
  "wrong-signer",
  "wrong-recipient",
  "wrong-box",
  "message-id-reused",
  "from-the-future",
  "forward-malformed",
  "forward-not-allowed",
  // receipts
  "receipt-malformed",
  "receipt-forged",
  "receipt-of-other",
  // answering pages
  "page-damaged",
  // details and video
  "details-too-large",
  "details-swapped",
  "details-damaged",
  "details-malformed",
  "recording-too-long",
  "video-part-swapped",
  "video-cut-off",
  "video-excess",
  "video-damaged",
  "video-too-large",
  // keyring and shards
  "keyring-too-large",
  "keyring-no-match",
  "keyring-damaged",
  "keyring-malformed",
  "keyring-forged",
  "keyring-rolled-back",
  "keyring-conflict",
  "shard-too-large",
  "shard-damaged",
  "shard-malformed",
  "shard-forged",
  "shard-swapped",
  "shard-rolled-back",
  // what a person types
  "recovery-code-malformed",
  "recovery-code-typo",
  "passphrase-too-short",
  "passphrase-too-simple",
  "salt-malformed",
] as const;

export type Refusal = (typeof REFUSALS)[number];

/** A refusal; `code` is stable, `detail` is for developers and never holds a secret. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";

  constructor(
    readonly code: Refusal,
    readonly detail = "",
  ) {
    super(detail ? `${code}: ${detail}` : code);
  }
}

/** Runs `read` and gives any failure of it this code; a refusal that already has one keeps it. */
export function refuseWith<T>(code: Refusal, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    throw new ProtocolError(code, error instanceof RangeError ? error.message : "");
  }
}
