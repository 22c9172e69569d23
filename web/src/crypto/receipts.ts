// Receipts: a recipient signs that a message was delivered to them, or played (docs/protocol/receipts.md).

import { b64, equalBytes, unb64 } from "../protocol/encoding";
import { ProtocolError } from "../protocol/errors";
import { CREATED_AHEAD_MS, RECEIPT_BYTES } from "../protocol/limits";
import { integer, struct, text, word, type Shaped } from "../protocol/shape";
import { readContainer, readPayload, requireSigner, writeContainer } from "./container";
import type { EnvelopeFields } from "./envelopes";
import { fp, type SigningKey } from "./signing";

const receiptShape = struct({
  id: text(),
  kind: word("delivered", "played"),
  at: integer(),
  from: struct({ acct: text() }),
  to: struct({ acct: text(), fp: text() }),
  details: text(),
});
/** The payload of a container `restante/1 receipt`. */
export type Receipt = Shaped<typeof receiptShape>;
export type ReceiptKind = Receipt["kind"];

interface Confirming {
  readonly kind: ReceiptKind;
  /** The recipient's own acct. */
  readonly me: string;
  /** The key that signed the envelope. */
  readonly signer: Uint8Array;
  readonly key: SigningKey;
  readonly nowMs: number;
}

/** Confirms a received message to its sender; null when nobody signed it. The result goes into a mark, base64url. */
export function writeReceipt(fields: EnvelopeFields, { kind, me, signer, key, nowMs }: Confirming): string | null {
  const acct = fields.from?.acct;
  if (acct === undefined) return null;
  const { id, details } = fields;
  const content = { id, kind, at: nowMs, from: { acct: me }, to: { acct, fp: fp(signer) }, details };
  return b64(writeContainer("receipt", content, key));
}

interface Expected {
  readonly kind: ReceiptKind;
  /** The content of the sender's own copy. */
  readonly of: Pick<EnvelopeFields, "id" | "details" | "to" | "sent_to">;
  /** Acct of the recipient. */
  readonly by: string;
  /** The recipient's keys, by their pin. */
  readonly keys: readonly Uint8Array[];
  readonly myKeys: readonly Uint8Array[];
  readonly nowMs: number;
}

/** Checks a receipt for a message that one sent. @throws ProtocolError */
export function checkReceipt(raw: string, { kind, of, by, keys, myKeys, nowMs }: Expected): Receipt {
  const box = readContainer(bytesOf(raw), "receipt", RECEIPT_BYTES);
  const signer = requireSigner(box);
  if (!keys.some((key) => equalBytes(key, signer))) throw new ProtocolError("receipt-forged");
  const receipt = readPayload(box, receiptShape, "receipt-malformed");
  const sameMessage = receipt.id === of.id && receipt.details === of.details && receipt.kind === kind;
  const fromThem = receipt.from.acct === by && (of.sent_to ?? []).includes(by);
  const toMe = receipt.to.acct === of.to.acct && myKeys.some((key) => fp(key) === receipt.to.fp);
  if (!sameMessage || !fromThem || !toMe) throw new ProtocolError("receipt-of-other");
  if (receipt.at > nowMs + CREATED_AHEAD_MS) throw new ProtocolError("from-the-future");
  return receipt;
}

function bytesOf(raw: string): Uint8Array {
  try {
    return unb64(raw);
  } catch {
    throw new ProtocolError("receipt-malformed");
  }
}
