/** What the crypto worker is asked to seal when a draft is sent. */

import { describeVideo } from "../crypto/parts";
import type { NewCall } from "../crypto/calls";
import type { NewMessage } from "../crypto/message";
import type { DraftWish } from "../storage/drafts";
import { StorageError } from "../storage/errors";
import type { Outgoing } from "./sending";

/** The message of a draft that is on the server. `createdMs` is the moment of sending; the sealed request is kept, so it stays. */
export function messageOf(
  { draft, upload, wish }: Outgoing,
  more: Pick<NewMessage, "createdMs" | "name" | "previous">,
): NewMessage {
  const { messageKey } = draft.content;
  const details = detailsOf(draft, wish);
  return { id: draft.id, kind: "video", messageKey, upload, details, ...more, ...termsOf(wish, more.createdMs) };
}

/** The same for what is left without an account. */
export function callOf({ draft, upload, wish }: Outgoing, createdMs: number): NewCall {
  const { name, answer, replyTo } = wish;
  return {
    ...{ id: draft.id, createdMs, messageKey: draft.content.messageKey, upload, details: detailsOf(draft, wish) },
    ...(name !== undefined && { name }),
    ...(answer !== undefined && { answer }),
    ...(replyTo !== undefined && { replyTo }),
  };
}

function detailsOf({ content }: Outgoing["draft"], wish: DraftWish): NewMessage["details"] {
  const { video, poster, captions } = content;
  if (video === null) throw new StorageError("not-on-this-device");
  const { size, sha256: parts, ...media } = video;
  return {
    video: describeVideo({ size, parts }, media),
    ...(wish.caption === null ? {} : { caption: wish.caption }),
    ...(captions === null ? {} : { captions }),
    ...(poster === null ? {} : { poster }),
  };
}

const DAY_MS = 86_400_000;

function termsOf({ replyTo, lasts, once, mayForward, links }: DraftWish, createdMs: number): Partial<NewMessage> {
  return {
    ...(replyTo !== undefined && { replyTo }),
    ...(typeof lasts === "number" && { expiresMs: createdMs + lasts * DAY_MS }),
    ...(lasts === "until-played" && { untilPlayed: true }),
    ...(once === true && { once }),
    ...(mayForward === true && { mayForward }),
    ...(links !== undefined && { links }),
  };
}
