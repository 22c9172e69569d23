// What can be asked of the crypto worker without an account: guest links, answering pages and their greetings, calls.

import { sha256 } from "@noble/hashes/sha2.js";
import { b64 } from "../protocol/encoding";
import { ProtocolError } from "../protocol/errors";
import { recipientOf } from "./age";
import { checkOwner, composeCall, type ComposedCall, type NewCall, type PageOwner } from "./calls";
import { openDetails, type Details, type Kind } from "./details";
import { openByLink, type LinkSecret } from "./links";
import { firstContact } from "./pins";
import { openProfile, type Profile } from "./profile";
import { solveProof, type Challenge } from "./proof";
import { openLinkEnvelope, type OpenedEnvelope } from "./receiving";
import { greetingAccess, linkAccess } from "./unlock";

/** How a link that is sealed to is known to the server, and to whom it is sealed. */
export interface LinkTarget {
  /** `age1…` */
  readonly recipient: string;
  readonly bearerSha256: string;
}

export class Guests {
  /** Opens what came by guest link. */
  openLinkEnvelope(sealed: Uint8Array, link: LinkSecret, nowMs: number): Promise<OpenedEnvelope> {
    return openByLink(sealed, link, nowMs);
  }

  linkBearer(secret: Uint8Array): string {
    return b64(linkAccess(secret).bearer);
  }

  openDetails(sealed: Uint8Array, messageKey: string, signed: { sha256: string; kind: Kind }): Promise<Details> {
    return openDetails(sealed, messageKey, signed);
  }

  /** Checks that whoever signed what came by link is this account, now or before, by its server's records. @throws ProtocolError wrong-signer */
  checkSigner(acct: string, history: readonly Uint8Array[], signer: Uint8Array): void {
    firstContact(acct, history, signer);
  }

  /** The bearer of an answering page's link, and of its greeting. */
  pageBearer(secret: Uint8Array): string {
    return b64(greetingAccess(secret).bearer);
  }

  async pageTarget(secret: Uint8Array): Promise<LinkTarget> {
    const { identity, bearer } = greetingAccess(secret);
    return { recipient: await recipientOf(identity), bearerSha256: b64(sha256(bearer)) };
  }

  /** Checks whose page it is. @throws ProtocolError fingerprint-mismatch, record-… */
  checkOwner(owner: PageOwner): void {
    checkOwner(owner);
  }

  /** Opens what a page says. @throws ProtocolError page-damaged, wrong-signer, fingerprint-mismatch */
  openProfile(sealed: Uint8Array, secret: Uint8Array, owner: PageOwner): Promise<Profile> {
    const { acct } = owner;
    return openProfile(sealed, greetingAccess(secret).identity, { acct, keys: checkOwner(owner).keys });
  }

  /** Opens the envelope of the greeting that a profile names. @throws ProtocolError */
  async openGreeting(
    sealed: Uint8Array,
    secret: Uint8Array,
    page: { owner: PageOwner; greeting: string; nowMs: number },
  ): Promise<OpenedEnvelope> {
    const { owner, greeting, nowMs } = page;
    const pin = firstContact(owner.acct, owner.history);
    const pinned = (acct: string) => (acct === owner.acct ? pin : undefined);
    const opened = await openLinkEnvelope(sealed, { identity: greetingAccess(secret).identity, pinned, nowMs });
    if (opened.fields.from?.acct !== owner.acct) throw new ProtocolError("wrong-signer");
    if (opened.fields.id !== greeting) throw new ProtocolError("page-damaged", "another message than the page's");
    return opened;
  }

  /** Seals a caller's message for the owner of a page. @throws ProtocolError */
  composeCall(wanted: NewCall, owner: PageOwner): Promise<ComposedCall> {
    return composeCall(wanted, owner);
  }

  /** Solves a proof of work; null when it took too long. */
  solveProof(challenge: Challenge, limitMs: number): Promise<string | null> {
    return solveProof(challenge, limitMs);
  }
}
