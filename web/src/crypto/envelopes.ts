// Envelopes: one small age file per way in to a message, here their content and how they are sealed
// (docs/protocol/envelopes.md); receiving.ts opens them.

import { sha256 } from "@noble/hashes/sha2.js";
import { b64, concat, utf8 } from "../protocol/encoding";
import { ProtocolError } from "../protocol/errors";
import { ENVELOPE_BYTES, ENVELOPE_PLAINTEXT_BYTES, NAME_CHARS } from "../protocol/limits";
import { integer, list, nullable, optional, struct, text, truth, type Shaped } from "../protocol/shape";
import { currentRecipient, type AccountRecord } from "./account";
import { seal } from "./age";
import { writePadded } from "./container";
import type { Kind } from "./details";
import { fp, type SigningKey } from "./signing";

/** Before a link's fingerprint in `sent_to`, where an account stands as its acct. */
export const LINK_PREFIX = "link:";

const toShape = struct({ acct: optional(text()), fp: optional(text()), link: optional(text()) });
const fromShape = struct({ acct: optional(text()), name: optional(text(NAME_CHARS)) });
const answerShape = struct({ recipient: text(), bearer_sha256: text() });
export const envelopeShape = struct({
  id: text(),
  kind: text(),
  created: integer(),
  to: toShape,
  from: nullable(fromShape),
  key: text(),
  details: text(),
  upload: optional(text()),
  expires: optional(integer()),
  once: optional(truth),
  may_forward: optional(truth),
  reply_to: optional(text()),
  prev: optional(text()),
  answer_to: optional(answerShape),
  forwarded: optional(text()),
  sent_to: optional(list(text(), { most: 100 })),
});

/** The payload of a container `restante/1 envelope`; `sent_to` stands in a sender's own copy only. */
export type EnvelopeFields = Shaped<typeof envelopeShape>;
/** A guest link of a caller's own making, for the answer. */
export type AnswerTo = Shaped<typeof answerShape>;

/** What all envelopes of a message say alike; `upload` is the id of the finished upload of a video. */
export interface Message {
  readonly id: string;
  readonly kind: Kind;
  readonly createdMs: number;
  readonly key: string;
  /** base64url SHA-256 of `details.age`. */
  readonly details: string;
  readonly upload?: string;
  readonly expiresMs?: number;
  readonly once?: boolean;
  readonly mayForward?: boolean;
  readonly replyTo?: string;
  readonly answerTo?: AnswerTo;
}

/** An account that signs what it sends; `name` is what the recipient is shown. */
export interface Sender {
  readonly acct: string;
  readonly name?: string | undefined;
  readonly key: SigningKey;
}

/** Somebody without an account: nothing is signed, and the name is shown as such. */
export interface Caller {
  readonly name?: string;
  readonly key?: undefined;
}

type To = EnvelopeFields["to"];

/** Writes the fingerprint by which an envelope names a link's recipient (`age1…`): 22 characters. */
export function linkFp(recipient: string): string {
  return b64(sha256(concat(utf8("restante/1 link\0"), utf8(recipient))).subarray(0, 16));
}

/**
 * Seals for the account whose record this is; check the record against its pin first.
 *
 * `prev` is the id of the author's previous message to the same account, so that a gap can be noticed.
 */
export async function sealForAccount(
  message: Message,
  author: Sender | Caller,
  record: AccountRecord,
  prev?: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const to = { acct: record.acct, fp: fp(record.sign) };
  return sealFields(fieldsOf(message, author, to, { prev }), author, currentRecipient(record, message.createdMs));
}

/** Seals for a guest link; its recipient stays secret. */
export async function sealForLink(
  message: Message,
  author: Sender | Caller,
  recipient: string,
): Promise<Uint8Array<ArrayBuffer>> {
  return sealFields(fieldsOf(message, author, { link: linkFp(recipient) }), author, recipient);
}

/** Seals the sender's own copy; `sentTo` lists the accts, and links as `link:` and their fingerprint. */
export async function sealOwnCopy(
  message: Message,
  sender: Sender,
  recipient: string,
  sentTo: readonly string[],
): Promise<Uint8Array<ArrayBuffer>> {
  const to = { acct: sender.acct, fp: fp(sender.key.public) };
  return sealFields(fieldsOf(message, sender, to, { sent_to: sentTo }), sender, recipient);
}

/** Seals a received message for one more account; `raw` is the container in which it came. */
export async function sealForward(
  original: EnvelopeFields,
  raw: Uint8Array,
  sender: Sender,
  record: AccountRecord,
  nowMs: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { id, kind, key, details, upload, expires } = original;
  const to = { acct: record.acct, fp: fp(record.sign) };
  const passed = { created: nowMs, to, from: fromOf(sender), key, details, upload, expires, forwarded: b64(raw) };
  return sealFields({ id, kind, ...passed }, sender, currentRecipient(record, nowMs));
}

function fieldsOf(
  message: Message,
  author: Sender | Caller,
  to: To,
  extra: { prev?: string | undefined; sent_to?: readonly string[] } = {},
): object {
  return {
    id: message.id,
    kind: message.kind,
    created: message.createdMs,
    to,
    from: fromOf(author),
    key: message.key,
    details: message.details,
    upload: message.upload,
    expires: message.expiresMs,
    once: message.once || undefined,
    may_forward: message.mayForward || undefined,
    reply_to: message.replyTo,
    prev: extra.prev,
    answer_to: message.answerTo,
    sent_to: extra.sent_to,
  };
}

function fromOf(author: Sender | Caller): object | null {
  if (author.key) return { acct: author.acct, name: author.name };
  return author.name === undefined ? null : { name: author.name };
}

async function sealFields(
  fields: object,
  author: Sender | Caller,
  recipient: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const plaintext = writePadded("envelope", fields, author.key ?? null);
  if (plaintext.length > ENVELOPE_PLAINTEXT_BYTES) throw new ProtocolError("envelope-too-large");
  const sealed = await seal(plaintext, [recipient]);
  if (sealed.length > ENVELOPE_BYTES) throw new ProtocolError("envelope-too-large");
  return sealed;
}
