/** Messages as lists and players need them: opened once, kept in the encrypted local index. */

import type { AnswerTo, EnvelopeFields } from "../crypto/envelopes";
import type { Details, Kind, OpenedEnvelope, VideoDetails } from "../crypto/service";
import { b64 } from "../protocol/encoding";
import type { components } from "../protocol/api";

export type InboxWire = components["schemas"]["InboxItem"];
export type SentWire = components["schemas"]["SentItem"];

/** What passed every check. */
export interface Content {
  readonly kind: Kind;
  readonly createdMs: number;
  readonly messageKey: string;
  readonly caption: string;
  readonly video: VideoDetails | null;
  /** WebVTT; what older versions of this app kept does not have it. */
  readonly captions?: string | null;
  readonly posterType: string | null;
  /** The sender's previous message to this account, while it is not known to have come. */
  readonly prev?: string;
  /** The message that this one answers. */
  readonly replyTo?: string;
  /** When it ends for everybody. */
  readonly expiresMs?: number;
  /** The sender asks that it be watched once. */
  readonly once?: boolean;
  readonly mayForward?: boolean;
  /** Nobody signed it: how whoever left it calls themselves, as they wrote it; empty: they gave no name. */
  readonly caller?: string;
  /** Where the caller may be answered. */
  readonly answerTo?: AnswerTo;
  /** It was passed on: whose it was, empty while nothing vouches for that; who signed it has passed it on. */
  readonly original?: string;
}

interface Kept {
  readonly id: string;
  readonly receivedAt: number;
  /** Null when it cannot be shown; `code` says why. */
  readonly content: Content | null;
  readonly code: string | null;
}

/** A message that was received. */
export interface Letter extends Kept {
  /** Acct of whoever signed it; null when nobody did, or it does not open. */
  readonly from: string | null;
  readonly fetchedAt: number | null;
  readonly playedAt: number | null;
  /** What a receipt of it says, base64url; absent when nobody can have one. */
  readonly signed?: { readonly signer: string; readonly details: string };
  /** What the server is still to be told. */
  readonly owes: "fetched" | "played" | null;
  /** It was to be watched once and was, on this device: it goes when it is left. */
  readonly isSpent?: true;
  /** Deleted here; the server is still to be told. */
  readonly isDropped: boolean;
}

/** How far a message came with one recipient; times in Unix milliseconds. */
export interface Delivery {
  readonly acct: string;
  readonly deliveredAt: number | null;
  readonly playedAt: number | null;
  /** What they signed of it; `wrong`: what the server gives as their receipt is not theirs, or of another message. */
  readonly confirmed?: ReceiptWord;
}

export type ReceiptWord = "delivered" | "played" | "wrong";

/** A message that this account sent. */
export interface SentLetter extends Kept {
  /** SHA-256 of its details, base64url, which receipts name; what older versions of this app kept does not have it. */
  readonly details?: string;
  readonly bytes: number;
  readonly deliveries: readonly Delivery[];
}

/** Puts together what is kept of opened details. */
export function contentOf(
  opened: {
    fields: Pick<
      EnvelopeFields,
      "created" | "key" | "prev" | "reply_to" | "expires" | "once" | "may_forward" | "from" | "answer_to"
    >;
    kind: Kind;
    original?: OpenedEnvelope["original"];
  },
  details: Details,
): Content {
  const { prev, reply_to: replyTo, expires, once, may_forward: mayForward, from, answer_to: answerTo } = opened.fields;
  return {
    ...(from?.acct === undefined && { caller: from?.name ?? "" }),
    ...(answerTo !== undefined && { answerTo }),
    ...(prev !== undefined && { prev }),
    ...(replyTo !== undefined && { replyTo }),
    ...(expires !== undefined && { expiresMs: expires }),
    ...(once === true && { once }),
    ...(mayForward === true && { mayForward }),
    ...(opened.original && { original: opened.original.acct }),
    kind: opened.kind,
    createdMs: opened.fields.created,
    messageKey: opened.fields.key,
    caption: details.caption ?? details.text ?? details.reaction ?? "",
    video: details.video ?? null,
    captions: details.captions ?? null,
    posterType: details.poster?.type ?? null,
  };
}

/** Whether it is a video that its sender asks to be watched once. */
export function isOnce({ content }: Kept): boolean {
  return content?.once === true && content.video !== null;
}

/** Held by the window that shows such a video. */
export const onceLock = (id: string): string => `restante-once ${id}`;

/** What a receipt of it will say; null for what was passed on, and what nobody signed. */
export function signedOf({ signer, fields, original }: OpenedEnvelope): Letter["signed"] | null {
  return signer === null || original !== null ? null : { signer: b64(signer), details: fields.details };
}

/** When it was made, as its sender signed it; else when it came. */
export function sentAt(letter: Kept): number {
  return letter.content?.createdMs ?? letter.receivedAt;
}

/** Unplayed first, then the newest first. */
export function inboxOrder(one: Letter, other: Letter): number {
  const isPlayed = (letter: Letter): number => (letter.playedAt === null ? 0 : 1);
  return isPlayed(one) - isPlayed(other) || other.receivedAt - one.receivedAt;
}

/**
 * The recipients that the sender signed, each with how far the server says it came there.
 * @param sentTo acct of each; guest links stand with `link:` before them.
 */
export function deliveriesOf(sentTo: readonly string[], wire: Pick<SentWire, "deliveries">): Delivery[] {
  return sentTo.map((acct) => {
    const name = acct.split("@")[0];
    const found = wire.deliveries.find((delivery) => delivery.recipient === name);
    return { acct, deliveredAt: found?.fetched_at ?? null, playedAt: found?.played_at ?? null };
  });
}
