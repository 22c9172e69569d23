// A whole message of an account: details once, an envelope for each recipient, and the own copy.

import { b64 } from "../protocol/encoding";
import { ProtocolError } from "../protocol/errors";
import { RECIPIENTS } from "../protocol/limits";
import { nameOf } from "../protocol/names";
import type { AccountRecord } from "./account";
import { detailsSha256, sealDetails, type Details, type Kind } from "./details";
import { LINK_PREFIX, linkFp, sealForAccount, sealForLink, sealOwnCopy, type Message } from "./envelopes";
import type { LinkTarget } from "./guests";
import { ownRecipient, signingKeyOf, type Keyring } from "./keyring";

/** What a person wants sent; `messageKey` is the one that the video was sealed with. */
export interface NewMessage {
  readonly id: string;
  readonly kind: Kind;
  readonly createdMs: number;
  readonly messageKey: string;
  readonly details: Details;
  /** The id of the finished upload of a video. */
  readonly upload?: string;
  /** How the sender calls themselves. */
  readonly name?: string;
  readonly replyTo?: string;
  readonly expiresMs?: number;
  /** Asks the recipient's client to show it once. */
  readonly once?: boolean;
  readonly mayForward?: boolean;
  /** Asks the server to end it once everybody has played it. */
  readonly untilPlayed?: boolean;
  /** By acct: the id of the previous message to the same account, so that a gap can be noticed. */
  readonly previous?: Readonly<Record<string, string>>;
  /** Guest links whose secret is another's or is kept elsewhere: of a page, of a caller who may be answered. */
  readonly links?: readonly LinkTarget[];
}

/** What is posted, byte for byte, until it is answered; binary in base64url. */
export interface ComposedMessage {
  /** The JSON of the part `message`. */
  readonly message: string;
  readonly details: string;
  /** By name of the recipient. */
  readonly envelopes: Readonly<Record<string, string>>;
  /** In the order of the links. */
  readonly links: readonly string[];
  /** The sender's own copy. */
  readonly sent: string;
}

/** Seals everything but the video, for recipients whose records were checked just now. @throws ProtocolError */
export async function composeMessage(
  keyring: Keyring,
  wanted: NewMessage,
  records: readonly AccountRecord[],
): Promise<ComposedMessage> {
  if (records.length > RECIPIENTS) throw new RangeError(`at most ${RECIPIENTS} recipients`);
  const details = await sealDetails(wanted.details, wanted.messageKey);
  const message = messageOf(wanted, detailsSha256(details));
  const sender = { acct: keyring.acct, name: wanted.name, key: signingKeyOf(keyring) };
  const links = wanted.links ?? [];
  const envelopes: Record<string, string> = {};
  for (const record of records) {
    if (Object.hasOwn(envelopes, nameOf(record.acct))) throw new ProtocolError("record-other-account", "named twice");
    envelopes[nameOf(record.acct)] = b64(await sealForAccount(message, sender, record, wanted.previous?.[record.acct]));
  }
  const sealedLinks: string[] = [];
  for (const { recipient } of links) sealedLinks.push(b64(await sealForLink(message, sender, recipient)));
  const sentTo = [
    ...records.map((record) => record.acct),
    ...links.map(({ recipient }) => LINK_PREFIX + linkFp(recipient)),
  ];
  const own = await sealOwnCopy(message, sender, await ownRecipient(keyring, wanted.createdMs), sentTo);
  return {
    message: requestOf(message, Object.keys(envelopes), wanted),
    details: b64(details),
    envelopes,
    links: sealedLinks,
    sent: b64(own),
  };
}

function messageOf(wanted: NewMessage, details: string): Message {
  const { id, kind, createdMs, messageKey, upload, expiresMs, once, mayForward, replyTo } = wanted;
  return {
    id,
    kind,
    createdMs,
    key: messageKey,
    details,
    ...(upload !== undefined && { upload }),
    ...(expiresMs !== undefined && { expiresMs }),
    ...(once === true && { once }),
    ...(mayForward === true && { mayForward }),
    ...(replyTo !== undefined && { replyTo }),
  };
}

function requestOf(message: Message, recipients: readonly string[], { untilPlayed, links = [] }: NewMessage): string {
  const { id, kind, details, upload, expiresMs, mayForward } = message;
  const lasting = { expires_at: expiresMs, ...(untilPlayed === true && { until_played: true }) };
  const wanted = links.map(({ bearerSha256 }) => ({ bearer_sha256: bearerSha256 }));
  const rest = {
    upload,
    ...(wanted.length > 0 && { links: wanted }),
    ...lasting,
    ...(mayForward === true && { may_forward: true }),
  };
  return JSON.stringify({ id, kind, details_sha256: details, recipients, ...rest });
}
