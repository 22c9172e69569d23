// A message of somebody without an account, to the owner of an answering page or of a guest link (docs/protocol/links.md).

import { sha256 } from "@noble/hashes/sha2.js";
import { b64, unb64 } from "../protocol/encoding";
import { ProtocolError } from "../protocol/errors";
import { checkHistory, type AccountRecord } from "./account";
import { recipientOf } from "./age";
import { detailsSha256, sealDetails, type Details } from "./details";
import { sealForAccount, type AnswerTo } from "./envelopes";
import { firstContact } from "./pins";
import { fp } from "./signing";
import { linkAccess } from "./unlock";

/** Whose page it is, by the server's word; `fp`, what the link says of their key, checks it. */
export interface PageOwner {
  readonly acct: string;
  /** All records, oldest first. */
  readonly history: readonly Uint8Array[];
  /** Null: the address did not say. */
  readonly fp: string | null;
}

/** What a caller wants left; `messageKey` is the one that the video was sealed with. */
export interface NewCall {
  readonly id: string;
  readonly createdMs: number;
  readonly messageKey: string;
  readonly details: Details;
  readonly upload: string;
  /** How the caller calls themselves, if they do. */
  readonly name?: string;
  readonly replyTo?: string;
  /** The secret (base64url) of the link by which they may be answered. */
  readonly answer?: string;
}

/** What is posted; binary in base64url. */
export interface ComposedCall {
  /** The JSON of the part `message`. */
  readonly message: string;
  readonly details: string;
  readonly envelopes: Readonly<Record<"owner", string>>;
}

/** The owner's signing keys, the present one first, and the newest record. @throws ProtocolError fingerprint-mismatch, record-… */
export function checkOwner(owner: PageOwner): { keys: readonly Uint8Array[]; record: AccountRecord } {
  const record = checkHistory(owner.acct, owner.history);
  const { sign, former } = firstContact(owner.acct, owner.history);
  const keys = [sign, ...former].map((key) => unb64(key, 32));
  if (owner.fp !== null && !keys.some((key) => fp(key) === owner.fp)) throw new ProtocolError("fingerprint-mismatch");
  return { keys, record };
}

/** Seals everything but the video, unsigned. @throws ProtocolError */
export async function composeCall(wanted: NewCall, owner: PageOwner): Promise<ComposedCall> {
  const { record } = checkOwner(owner);
  const { id, createdMs, messageKey, upload, name, replyTo, answer } = wanted;
  const details = await sealDetails(wanted.details, messageKey);
  const detailsHash = detailsSha256(details);
  const message = {
    ...{ id, kind: "video" as const, createdMs, key: messageKey, details: detailsHash, upload },
    ...(replyTo !== undefined && { replyTo }),
    ...(answer !== undefined && { answerTo: await answerTo(answer) }),
  };
  const envelope = await sealForAccount(message, name === undefined ? {} : { name }, record);
  return {
    message: JSON.stringify({ id, kind: "video", details_sha256: detailsHash, upload }),
    details: b64(details),
    envelopes: { owner: b64(envelope) },
  };
}

async function answerTo(secret: string): Promise<AnswerTo> {
  const { identity, bearer } = linkAccess(unb64(secret, 32));
  return { recipient: await recipientOf(identity), bearer_sha256: b64(sha256(bearer)) };
}
