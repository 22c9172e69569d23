// Receiving an envelope: every check, in the order of docs/protocol/envelopes.md, each with its own code.
//
// Decrypt, container rules, signer against the pin, recipient, id not seen with other bytes, date; then the details by
// their signed hash (details.ts) and the parts of the video (video.ts).

import { sha256 } from "@noble/hashes/sha2.js";
import { b64, equalBytes, isB64, unb64 } from "../protocol/encoding";
import { ProtocolError } from "../protocol/errors";
import { isId } from "../protocol/ids";
import { CREATED_AHEAD_MS, ENVELOPE_BYTES, ENVELOPE_PLAINTEXT_BYTES } from "../protocol/limits";
import { isAcct } from "../protocol/names";
import { AgeError, checkX25519Identity, recipientOf, unseal, type Identity } from "./age";
import { readContainer, readPayload, type Container } from "./container";
import { KINDS, type Kind } from "./details";
import { envelopeShape, linkFp, type EnvelopeFields } from "./envelopes";
import { readOriginal, type Original } from "./forwarding";
import type { Pin } from "./pins";
import { fp } from "./signing";

/**
 * What is known of the sender; the screen always says it. `own`: this account. `pinned`: the key known since first
 * contact. `former`: a key that the sender has since replaced by succession. `first`: an unknown sender: pin the account
 * by `firstContact` before showing anything. `unsigned`: a caller without an account; anybody may have written it.
 */
export type Trust = "own" | "pinned" | "former" | "first" | "unsigned";

/** The receiving account: `keys` are its signing public keys, the current one first. */
export interface Me {
  readonly acct: string;
  readonly keys: readonly Uint8Array[];
  readonly aliases?: readonly string[];
}

/** Looks up the pin of an acct. */
export type Pinned = (acct: string) => Pin | undefined;
/** Looks up the digest under which a message id was received, in a shard such as `seen-2026-11`. */
export type Seen = (id: string, shard: string) => string | undefined;

/** An envelope that passed every check; `digest` is to be stored in the shard `seenShard` under its id. */
export interface OpenedEnvelope {
  readonly fields: EnvelopeFields;
  readonly kind: Kind;
  readonly trust: Trust;
  readonly signer: Uint8Array | null;
  readonly digest: string;
  readonly seenShard: string;
  readonly container: Uint8Array;
  /** Of what was passed on: `acct` is empty while nothing vouches for that it is theirs. */
  readonly original: Original | null;
}

type Known = (acct: string) => readonly (readonly [Uint8Array, Trust])[];
const YEAR_9999_MS = 253_370_764_800_000;
const nobody: Pinned = () => undefined;

/** Opens an envelope from the inbox of an account. @throws ProtocolError */
export async function openEnvelope(
  sealed: Uint8Array,
  who: { identities: readonly Identity[]; me: Me; pinned: Pinned; seen: Seen; nowMs: number },
): Promise<OpenedEnvelope> {
  const opened = await open(sealed, who.identities, (acct) => ownOrPinned(acct, who.me, who.pinned));
  checkToMe(opened, who.me);
  if (opened.fields.sent_to !== undefined) throw new ProtocolError("wrong-box");
  const before = who.seen(opened.fields.id, opened.seenShard);
  if (before !== undefined && before !== opened.digest) throw new ProtocolError("message-id-reused");
  checkCreated(opened, who.nowMs);
  return opened;
}

/** Opens what this account sealed for itself under Sent. @throws ProtocolError */
export async function openOwnCopy(
  sealed: Uint8Array,
  who: { identities: readonly Identity[]; me: Me; nowMs: number },
): Promise<OpenedEnvelope> {
  const opened = await open(sealed, who.identities, (acct) => ownOrPinned(acct, who.me, nobody));
  if (opened.trust !== "own") throw new ProtocolError("wrong-signer");
  checkToMe(opened, who.me);
  if (opened.fields.sent_to === undefined) throw new ProtocolError("wrong-box");
  checkCreated(opened, who.nowMs);
  return opened;
}

/** Opens an envelope that came by guest link. @throws ProtocolError */
export async function openLinkEnvelope(
  sealed: Uint8Array,
  who: { identity: string; pinned?: Pinned; nowMs: number },
): Promise<OpenedEnvelope> {
  const opened = await open(sealed, [who.identity], (acct) => keysOf((who.pinned ?? nobody)(acct)));
  if (opened.fields.to.link !== linkFp(await recipientOf(who.identity))) throw new ProtocolError("wrong-recipient");
  if (opened.fields.sent_to !== undefined) throw new ProtocolError("wrong-box");
  checkCreated(opened, who.nowMs);
  return opened;
}

/** Names the state shard of an envelope's month (UTC), which the sender signed. */
export function seenShard(createdMs: number): string {
  return `seen-${new Date(Math.min(createdMs, YEAR_9999_MS)).toISOString().slice(0, "YYYY-MM".length)}`;
}

function ownOrPinned(acct: string, me: Me, pinned: Pinned): ReturnType<Known> {
  if (owns(me, acct)) return me.keys.map((key) => [key, "own"] as const);
  return keysOf(pinned(acct));
}

function keysOf(pin: Pin | undefined): ReturnType<Known> {
  if (!pin) return [];
  const encoded = [[pin.sign, "pinned"] as const, ...pin.former.map((key) => [key, "former"] as const)];
  return encoded.map(([key, trust]) => [unb64(key, 32), trust] as const);
}

function owns(me: Me, acct: string | undefined): boolean {
  return acct !== undefined && (acct === me.acct || (me.aliases ?? []).includes(acct));
}

async function open(sealed: Uint8Array, identities: readonly Identity[], known: Known): Promise<OpenedEnvelope> {
  const box = await decrypt(sealed, identities);
  const fields = readPayload(box, envelopeShape);
  const kind = checkForm(fields);
  const trust = checkSigner(box, fields, known);
  const digest = b64(sha256(box.raw).subarray(0, 8));
  const original = originalOf(box, fields, known);
  const shard = seenShard(fields.created);
  return { fields, kind, trust, signer: box.signer, digest, seenShard: shard, container: box.raw, original };
}

/** Of a sender whose key is not known the account is not told: then it is the forwarder's word. */
function originalOf(box: Container, fields: EnvelopeFields, known: Known): Original | null {
  if (fields.forwarded === undefined) return null;
  const original = readOriginal(fields, box.signer);
  const keys = known(original.acct);
  if (keys.length === 0) return { ...original, acct: "", name: null };
  if (!keys.some(([key]) => equalBytes(key, original.signer))) throw new ProtocolError("wrong-signer");
  return original;
}

async function decrypt(sealed: Uint8Array, identities: readonly Identity[]): Promise<Container> {
  if (sealed.length > ENVELOPE_BYTES) throw new ProtocolError("envelope-too-large");
  let plaintext: Uint8Array;
  try {
    plaintext = await unseal(sealed, identities, { stanzas: 1 });
  } catch (error) {
    if (!(error instanceof AgeError)) throw error;
    throw new ProtocolError(error.fault === "no-match" ? "envelope-no-match" : "envelope-damaged", error.message);
  }
  return readContainer(plaintext, "envelope", ENVELOPE_PLAINTEXT_BYTES);
}

function checkForm(fields: EnvelopeFields): Kind {
  const kind = KINDS.find((known) => known === fields.kind);
  if (!kind) throw new ProtocolError("needs-newer-version", "a kind of message");
  const ids = [fields.id, fields.reply_to, fields.prev].filter((id) => id !== undefined);
  if (!ids.every((id) => isId(id, "msg"))) throw new ProtocolError("envelope-malformed", "a message id");
  if ((fields.upload !== undefined) !== (kind === "video") || !isB64(fields.details, 32)) {
    throw new ProtocolError("envelope-malformed", "upload or details");
  }
  if (fields.upload !== undefined && !isId(fields.upload, "upl"))
    throw new ProtocolError("envelope-malformed", "upload");
  const { acct, fp, link } = fields.to;
  if ((acct === undefined) !== (fp === undefined) || (acct === undefined) === (link === undefined)) {
    throw new ProtocolError("envelope-malformed", "to");
  }
  checkMessageKey(fields.key);
  return kind;
}

function checkMessageKey(key: string): void {
  try {
    checkX25519Identity(key);
  } catch {
    throw new ProtocolError("envelope-malformed", "key");
  }
}

function checkSigner(box: Container, fields: EnvelopeFields, known: Known): Trust {
  const { signer } = box;
  const acct = fields.from?.acct;
  if (!signer) {
    if (acct !== undefined) throw new ProtocolError("sender-not-signed");
    return "unsigned";
  }
  if (acct === undefined) throw new ProtocolError("signer-unnamed");
  if (!isAcct(acct)) throw new ProtocolError("envelope-malformed", "from");
  const keys = known(acct);
  if (keys.length === 0) return "first";
  const match = keys.find(([key]) => equalBytes(key, signer));
  if (!match) throw new ProtocolError("wrong-signer");
  return match[1];
}

function checkToMe({ fields }: OpenedEnvelope, me: Me): void {
  const keyIsMine = me.keys.some((key) => fp(key) === fields.to.fp);
  if (!owns(me, fields.to.acct) || !keyIsMine) throw new ProtocolError("wrong-recipient");
}

function checkCreated({ fields }: OpenedEnvelope, nowMs: number): void {
  if (fields.created > nowMs + CREATED_AHEAD_MS) throw new ProtocolError("from-the-future");
}
