/** What the crypto worker is asked to seal when a draft is sent. */

import { describeVideo } from "../crypto/details";
import type { NewMessage } from "../crypto/message";
import type { DraftWish } from "../storage/drafts";
import { StorageError } from "../storage/errors";
import type { Outgoing } from "./sending";

/** The message of a draft that is on the server. `createdMs` is the moment of sending; the sealed request is kept, so it stays. */
export function messageOf(
  { draft, upload, wish }: Outgoing,
  more: Pick<NewMessage, "createdMs" | "name" | "previous">,
): NewMessage {
  const { messageKey, video, poster, captions } = draft.content;
  if (video === null) throw new StorageError("not-on-this-device");
  const { size, sha256: parts, ...media } = video;
  const details = {
    video: describeVideo({ size, parts }, media),
    ...(wish.caption === null ? {} : { caption: wish.caption }),
    ...(captions === null ? {} : { captions }),
    ...(poster === null ? {} : { poster }),
  };
  return { id: draft.id, kind: "video", messageKey, upload, details, ...more, ...termsOf(wish, more.createdMs) };
}

const DAY_MS = 86_400_000;

function termsOf({ replyTo, lasts, once, mayForward }: DraftWish, createdMs: number): Partial<NewMessage> {
  return {
    ...(replyTo !== undefined && { replyTo }),
    ...(typeof lasts === "number" && { expiresMs: createdMs + lasts * DAY_MS }),
    ...(lasts === "until-played" && { untilPlayed: true }),
    ...(once === true && { once }),
    ...(mayForward === true && { mayForward }),
  };
}
