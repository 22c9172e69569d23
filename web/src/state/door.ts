/** How somebody without an account is let in to leave one message: at an answering page, or by a guest link that was opened. */

import type { CryptoService } from "../crypto/service";
import { b64, unb64 } from "../protocol/encoding";
import { nameOf } from "../protocol/names";
import type { DraftCall } from "../storage/drafts";
import type { Api } from "../transfer/http";
import { beginAnswer, beginCall, fetchChallenge, fetchRecords } from "../transfer/pages";
import { malformed } from "../transfer/problem";
import { askServer } from "./entering";
import { Refused } from "./failure";

export interface Door {
  /** Under which takes lie on this device. */
  readonly label: string;
  /** The message that is answered. */
  readonly replyTo: string | null;
  /** @throws Problem, Refused proof-too-slow */
  enter(): Promise<DraftCall>;
}

interface Tools {
  readonly api: Api;
  readonly crypto: CryptoService;
}

/** A slow phone takes three seconds. */
const PROOF_MS = 60_000;

/** Of a page, as its link says it; without a secret the key is the server's word. */
export interface PageDoor {
  readonly name: string;
  readonly fp: string | null;
  readonly secret: Uint8Array | null;
}

export function pageDoor(tools: Tools, page: PageDoor): Door {
  return { label: `@${page.name}`, replyTo: null, enter: () => called(tools, page) };
}

/** Lets in once more for a take whose call is over. @throws Problem call-over, where only the link could */
export async function callAgain(tools: Tools, { to, fp, secret, link }: DraftCall): Promise<DraftCall> {
  if (link !== null) throw new Refused("call-over");
  return called(tools, { name: nameOf(to), fp, secret: secret === null ? null : unb64(secret) });
}

/** Of a guest link that was opened just now, and lets its guests answer. */
export interface OpenedLink {
  /** Of the open. */
  readonly view: string;
  /** Who signed it. */
  readonly to: string;
  /** The message. */
  readonly replyTo: string;
}

/** @param opened null: it was not opened yet. */
export function linkDoor({ api }: Tools, link: string, opened: () => OpenedLink | null): Door {
  const enter = async (): Promise<DraftCall> => {
    const known = opened();
    if (known === null) throw new Refused("view-over");
    const { token, until: untilMs } = await beginAnswer(api, link, known.view);
    return { to: known.to, fp: null, secret: null, link, token, untilMs };
  };
  return {
    label: link,
    get replyTo() {
      return opened()?.replyTo ?? null;
    },
    enter,
  };
}

/** All records of somebody, oldest first. @throws Problem */
export async function historyOf(api: Api, acct: string): Promise<Uint8Array<ArrayBuffer>[]> {
  const records = await fetchRecords(api, nameOf(acct));
  try {
    return records.map((record) => unb64(record));
  } catch {
    throw malformed("an account record");
  }
}

async function called({ api, crypto }: Tools, page: PageDoor): Promise<DraftCall> {
  const [{ name: server }, challenge] = await Promise.all([askServer(api), fetchChallenge(api, page.name)]);
  const proof = await crypto.solveProof(challenge, PROOF_MS);
  if (proof === null) throw new Refused("proof-too-slow");
  const bearer = page.secret === null ? null : await crypto.pageBearer(page.secret);
  const { token, until: untilMs, name } = await beginCall(api, page.name, { proof, bearer });
  const secret = page.secret === null ? null : b64(page.secret);
  return { to: `${name}@${server}`, fp: page.fp, secret, link: null, token, untilMs };
}
