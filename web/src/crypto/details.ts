// `details.age`: what describes a message, sealed once under the message key (docs/protocol/details.md).

import { sha256 } from "@noble/hashes/sha2.js";
import { b64, isB64, unb64 } from "../protocol/encoding";
import { ProtocolError } from "../protocol/errors";
import { write } from "../protocol/ijson";
import { DETAILS_BYTES, PART_BYTES, POSTER_BYTES, RECORDING_TOLERATED_MS, UPLOAD_BYTES } from "../protocol/limits";
import { integer, list, optional, struct, text, type Shaped } from "../protocol/shape";
import { AgeError, recipientOf, seal, unseal } from "./age";
import { padded, readJson } from "./container";

/** What a message is; an unknown kind needs a newer version. */
export type Kind = "video" | "text" | "reaction";
export const KINDS: readonly Kind[] = ["video", "text", "reaction"];

const videoShape = struct({
  size: integer(),
  part: integer(),
  sha256: list(text()),
  type: text(),
  ms: integer(),
  w: integer(1, 65_535),
  h: integer(1, 65_535),
});
const posterShape = struct({ type: text(), data: text() });
const detailsShape = struct({
  video: optional(videoShape),
  caption: optional(text()),
  captions: optional(text()),
  text: optional(text()),
  reaction: optional(text(32)),
  poster: optional(posterShape),
});

/** `sha256` holds the base64url SHA-256 of each part of `video.age`; `ms` is media time. */
export type VideoDetails = Shaped<typeof videoShape>;
/** A small picture; `data` is base64url of at most 24 KiB. */
export type Poster = Shaped<typeof posterShape>;
/** `captions` is WebVTT; `text` and `reaction` are the content of messages of those kinds. */
export type Details = Shaped<typeof detailsShape>;

const VIDEO_TYPE = /^video\/mp4(; codecs="?[A-Za-z0-9., -]{1,100}"?)?$/;
const POSTER_TYPES: ReadonlySet<string> = new Set(["image/webp", "image/jpeg"]);

/** Makes a poster of an encoded picture. */
export function poster(type: string, data: Uint8Array): Poster {
  return { type, data: b64(data) };
}

/** Makes `details.age`, padded. @throws ProtocolError for what a reader would refuse */
export async function sealDetails(details: Details, messageKey: string): Promise<Uint8Array<ArrayBuffer>> {
  check(details);
  const sealed = await seal(padded(write(inOrder(details))), [await recipientOf(messageKey)]);
  if (sealed.length > DETAILS_BYTES) throw new ProtocolError("details-too-large");
  return sealed;
}

/** Hashes `details.age`: the base64url that every envelope of the message signs. */
export function detailsSha256(sealed: Uint8Array): string {
  return b64(sha256(sealed));
}

/** Checks size, then the signed hash, then decrypts and reads. @throws ProtocolError details-…, recording-too-long */
export async function openDetails(
  sealed: Uint8Array,
  messageKey: string,
  signed: { sha256: string; kind: Kind },
): Promise<Details> {
  if (sealed.length > DETAILS_BYTES) throw new ProtocolError("details-too-large");
  if (detailsSha256(sealed) !== signed.sha256) throw new ProtocolError("details-swapped");
  const details = readJson(await unsealed(sealed, messageKey), detailsShape, "details-malformed");
  if (details[signed.kind] === undefined) throw new ProtocolError("details-malformed", `a ${signed.kind} without it`);
  check(details);
  return details;
}

async function unsealed(sealed: Uint8Array, messageKey: string): Promise<Uint8Array> {
  try {
    return await unseal(sealed, [messageKey], { stanzas: 1 });
  } catch (error) {
    if (error instanceof AgeError) throw new ProtocolError("details-damaged", error.message);
    throw error;
  }
}

function inOrder({ video, caption, captions, text, reaction, poster }: Details): object {
  return { video, caption, captions, text, reaction, poster };
}

function check(details: Details): void {
  if (details.video) checkVideo(details.video);
  if (details.poster) checkPoster(details.poster);
}

function checkVideo(video: VideoDetails): void {
  if (video.ms > RECORDING_TOLERATED_MS) throw new ProtocolError("recording-too-long");
  const parts = Math.ceil(video.size / PART_BYTES);
  const fits = video.size > 0 && video.size <= UPLOAD_BYTES;
  if (video.part !== PART_BYTES || !fits || video.sha256.length !== parts) {
    throw new ProtocolError("details-malformed", "size and parts");
  }
  if (!video.sha256.every((hash) => isB64(hash, 32))) throw new ProtocolError("details-malformed", "a part's hash");
  if (!VIDEO_TYPE.test(video.type)) throw new ProtocolError("details-malformed", "the video's type");
}

function checkPoster({ type, data }: Poster): void {
  let size: number;
  try {
    size = unb64(data).length;
  } catch {
    throw new ProtocolError("details-malformed", "the poster");
  }
  if (!POSTER_TYPES.has(type) || size > POSTER_BYTES) throw new ProtocolError("details-malformed", "the poster");
}
