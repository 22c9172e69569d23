// Guest links: a fresh secret, and an envelope of a message that was sent, which only it opens (docs/protocol/links.md).

import { sha256 } from "@noble/hashes/sha2.js";
import { b64 } from "../protocol/encoding";
import { randomBytes } from "../protocol/ids";
import { recipientOf } from "./age";
import { sealForLink, type EnvelopeFields, type Message } from "./envelopes";
import { signingKeyOf, type Keyring } from "./keyring";
import { openLinkEnvelope, type OpenedEnvelope } from "./receiving";
import { greetingAccess, linkAccess, linkAccessWithPassword, type Access } from "./unlock";

const SECRET_BYTES = 32;

/** All base64url; `secret` goes into the fragment of the address and nowhere else. */
export interface MadeLink {
  readonly secret: string;
  readonly bearerSha256: string;
  readonly envelope: string;
}

/** What every envelope of a message says alike, from one of them. */
function messageOfFields(fields: EnvelopeFields): Omit<Message, "kind"> {
  const { id, created: createdMs, key, details, upload, expires, once, may_forward: mayForward, reply_to } = fields;
  return {
    ...{ id, createdMs, key, details },
    ...(upload !== undefined && { upload }),
    ...(expires !== undefined && { expiresMs: expires }),
    ...(once !== undefined && { once }),
    ...(mayForward !== undefined && { mayForward }),
    ...(reply_to !== undefined && { replyTo: reply_to }),
  };
}

/** Of a link: what stands in its address, and the password if it has one. */
export interface LinkSecret {
  readonly secret: Uint8Array;
  readonly password: string | null;
}

/** A link whose secret is kept elsewhere. */
export type GreetingLink = Omit<MadeLink, "secret">;

/** Makes a link to the message whose own copy this is. */
export async function linkTo(keyring: Keyring, own: OpenedEnvelope, password: string | null): Promise<MadeLink> {
  const secret = randomBytes(SECRET_BYTES);
  return { secret: b64(secret), ...(await sealedTo(keyring, own, await accessOf({ secret, password }))) };
}

/** Makes the link of an answering page to its greeting. */
export async function greetingLink(keyring: Keyring, own: OpenedEnvelope, secret: Uint8Array): Promise<GreetingLink> {
  return sealedTo(keyring, own, greetingAccess(secret));
}

async function sealedTo(keyring: Keyring, own: OpenedEnvelope, { identity, bearer }: Access): Promise<GreetingLink> {
  const { fields, kind } = own;
  const sender = { acct: keyring.acct, name: fields.from?.name, key: signingKeyOf(keyring) };
  const envelope = await sealForLink({ ...messageOfFields(fields), kind }, sender, await recipientOf(identity));
  return { bearerSha256: b64(sha256(bearer)), envelope: b64(envelope) };
}

/** Opens what came by link. @throws ProtocolError envelope-no-match, when it has another password */
export async function openByLink(sealed: Uint8Array, link: LinkSecret, nowMs: number): Promise<OpenedEnvelope> {
  const { identity } = await accessOf(link);
  return openLinkEnvelope(sealed, { identity, nowMs });
}

async function accessOf({ secret, password }: LinkSecret): Promise<Access> {
  return password === null ? linkAccess(secret) : linkAccessWithPassword(secret, password);
}
