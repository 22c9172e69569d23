// Passing on: an envelope on the same message, signed by who passes it on, with the original container inside
// (docs/protocol/envelopes.md, "Forwarding").

import { unb64 } from "../protocol/encoding";
import { ProtocolError } from "../protocol/errors";
import { ENVELOPE_PLAINTEXT_BYTES } from "../protocol/limits";
import { readContainer, readPayload, requireSigner } from "./container";
import { envelopeShape, type EnvelopeFields } from "./envelopes";
import { fp } from "./signing";

/** What was passed on, as its sender signed it; `acct` is who says so until `signer` is known to be theirs. */
export interface Original {
  readonly acct: string;
  readonly name: string | null;
  readonly signer: Uint8Array;
  readonly createdMs: number;
}

/**
 * Reads the original of a forwarded envelope: it is the same message, was written to the forwarder, allowed it, and was not
 * itself passed on. @throws ProtocolError forward-malformed, forward-not-allowed
 */
export function readOriginal(fields: EnvelopeFields, forwarder: Uint8Array | null): Original {
  const { original, signer } = contentOf(fields.forwarded ?? "");
  if (!isSameMessage(original, fields)) throw new ProtocolError("forward-malformed", "another message");
  const { from, to } = original;
  if (from?.acct === undefined || forwarder === null || original.sent_to !== undefined)
    throw new ProtocolError("forward-malformed", "unsigned, or an own copy");
  if (to.acct === undefined || to.acct !== fields.from?.acct || to.fp !== fp(forwarder))
    throw new ProtocolError("forward-malformed", "not written to who passed it on");
  if (original.may_forward !== true || original.once === true || original.forwarded !== undefined)
    throw new ProtocolError("forward-not-allowed");
  return { acct: from.acct, name: from.name ?? null, signer, createdMs: original.created };
}

/** Whether its recipient may pass it on. */
export function mayForward({ may_forward, once, forwarded }: EnvelopeFields): boolean {
  return may_forward === true && once !== true && forwarded === undefined;
}

function contentOf(forwarded: string): { original: EnvelopeFields; signer: Uint8Array } {
  try {
    const box = readContainer(unb64(forwarded), "envelope", ENVELOPE_PLAINTEXT_BYTES);
    return { original: readPayload(box, envelopeShape), signer: requireSigner(box) };
  } catch (error) {
    throw new ProtocolError("forward-malformed", error instanceof Error ? error.message : "the original");
  }
}

function isSameMessage(one: EnvelopeFields, other: EnvelopeFields): boolean {
  const keys = ["id", "kind", "key", "details", "upload", "expires"] as const;
  return keys.every((key) => one[key] === other[key]);
}
