/** One's own answering page: on or off, its link, what it says, its greeting. The link's secret lies in the shard `settings`. */

import { b64, unb64 } from "../protocol/encoding";
import { randomBytes } from "../protocol/ids";
import type { DraftLink } from "../storage/drafts";
import { listLinks, makeLink, revokeLink } from "../transfer/links";
import { fetchOwnPage, storeOwnPage, type OwnPage, type PageAccess, type Schedule } from "../transfer/pages";
import { fetchEnvelope } from "./envelope";
import { failureOf, isCode, Refused, type Failure } from "./failure";
import type { House } from "./house.svelte";
import { pageAddress } from "./page-address";

const SETTING = "page";
const SECRET_BYTES = 16;

export type OwnPagePhase = { kind: "loading" } | { kind: "ready" } | { kind: "failed"; failure: Failure };

/** What can be changed of it. */
export interface PageWish {
  on?: boolean;
  access?: PageAccess;
  note?: string;
  schedule?: Schedule | null;
}

export class OwnPageState {
  phase: OwnPagePhase = $state.raw({ kind: "loading" });
  page: OwnPage | null = $state.raw(null);
  note = $state("");
  /** To give to others; null while there is none. */
  address: string | null = $state.raw(null);
  isWorking = $state(false);
  /** Why the last change was not made. */
  failure: Failure | null = $state.raw(null);
  readonly #house: House;
  #secret: Uint8Array<ArrayBuffer> | null = null;
  /** The message of the greeting. */
  #greeting: string | null = null;

  constructor(house: House) {
    this.#house = house;
    void this.look();
  }

  /** Never rejects: `phase` tells. */
  async look(): Promise<void> {
    try {
      await this.#house.settings.refresh(); // another device may have made the secret
      this.#secret = secretOf((await this.#house.crypto.settings())[SETTING]);
      await this.#take(await fetchOwnPage(this.#house.api));
      this.phase = { kind: "ready" };
    } catch (error) {
      if (!this.#house.signal.aborted) this.phase = { kind: "failed", failure: failureOf(error) };
    }
  }

  /** What is not given stays as it was. Never rejects: `failure` tells. */
  change(wish: PageWish): Promise<void> {
    return this.#change(async () => {
      const { note = this.note, ...rest } = wish;
      await this.#newSecretIfNone();
      await this.#store({ ...rest }, note);
    });
  }

  /** Makes another link; with the old one nobody sees greeting and note, nor calls where a link is asked for. */
  rotate(): Promise<void> {
    return this.#change(async () => {
      const old = this.page?.greeting ?? null;
      const secret = await this.#newSecret();
      const greeting = this.#greeting === null ? null : await this.#linkAgain(this.#greeting, secret);
      await this.#store({ greeting }, this.note);
      if (old !== null) await revokeLink(this.#house.api, old);
    });
  }

  /** Where a greeting goes: to whoever has the page's link. */
  async target(): Promise<DraftLink> {
    await this.#newSecretIfNone();
    return this.#house.crypto.pageTarget(this.#required());
  }

  /** Puts a message that was sent to `target` on the page, in place of an earlier greeting. Never rejects. */
  greetWith(message: string): Promise<void> {
    return this.#change(async () => {
      const [link] = (await listLinks(this.#house.api)).filter((each) => each.message === message);
      if (link === undefined) throw new Refused("link-gone");
      const [oldLink, oldMessage] = [this.page?.greeting ?? null, this.#greeting];
      this.#greeting = message;
      await this.#store({ greeting: link.id }, this.note);
      await this.#end(oldLink, oldMessage);
    });
  }

  /** Takes the greeting off the page, and deletes it. Never rejects. */
  stopGreeting(): Promise<void> {
    return this.#change(async () => {
      const [oldLink, oldMessage] = [this.page?.greeting ?? null, this.#greeting];
      this.#greeting = null;
      await this.#store({ greeting: null }, this.note);
      await this.#end(oldLink, oldMessage);
    });
  }

  async #change(work: () => Promise<void>): Promise<void> {
    if (this.isWorking) return;
    this.isWorking = true;
    this.failure = null;
    try {
      await work();
    } catch (error) {
      if (!this.#house.signal.aborted) this.failure = failureOf(error);
    } finally {
      this.isWorking = false;
    }
  }

  async #store(wish: Omit<PageWish, "note"> & { greeting?: string | null }, note: string): Promise<void> {
    const { api, crypto } = this.#house;
    const { on = false, access = "anyone", schedule = null, greeting = null } = this.page ?? {};
    const secret = this.#required();
    const says = {
      ...(this.#greeting !== null && { greeting: this.#greeting }),
      ...(note !== "" && { note }),
    };
    const profile = await crypto.sealProfile(says, secret, Date.now());
    const { bearerSha256 } = await crypto.pageTarget(secret);
    const kept = { on, access, schedule, greeting };
    await this.#take(await storeOwnPage(api, { ...kept, ...wish, profile, bearer_sha256: bearerSha256 }));
  }

  async #take(page: OwnPage): Promise<void> {
    const { crypto } = this.#house;
    this.page = page;
    const secret = this.#secret;
    if (secret === null) return;
    const { acct, fp } = await crypto.account();
    this.address = pageAddress(location.origin, acct.split("@")[0] ?? "", { fp, secret: b64(secret) });
    const profile = await this.#profile(page, secret);
    this.note = profile?.note ?? "";
    this.#greeting = profile?.greeting ?? null;
  }

  /** What an interrupted change of the link left does not open; the next change writes it anew. */
  async #profile(page: OwnPage, secret: Uint8Array) {
    if (page.profile === null) return null;
    try {
      return await this.#house.crypto.openOwnProfile(unb64(page.profile), secret);
    } catch (error) {
      if (isCode(error, "page-damaged")) return null;
      throw error;
    }
  }

  async #newSecretIfNone(): Promise<void> {
    if (this.#secret === null) await this.#newSecret();
  }

  /** Kept before the page is stored: a link that no device knows would be lost. */
  async #newSecret(): Promise<Uint8Array<ArrayBuffer>> {
    const secret = randomBytes(SECRET_BYTES);
    await this.#house.crypto.setSetting(SETTING, b64(secret), Date.now());
    await this.#house.shards.keep();
    this.#secret = secret;
    return secret;
  }

  #required(): Uint8Array<ArrayBuffer> {
    if (this.#secret === null) throw new Refused("page-off");
    return this.#secret;
  }

  async #linkAgain(message: string, secret: Uint8Array): Promise<string> {
    const { api, crypto } = this.#house;
    const link = await crypto.makeGreetingLink(await fetchEnvelope(api, message, "sent"), secret, Date.now());
    const terms = { expires_at: null, most_opens: null, may_save: true, may_answer: false };
    return (await makeLink(api, message, { envelope: link.envelope, bearer_sha256: link.bearerSha256, ...terms })).id;
  }

  /** Ends a greeting that is on the page no more. */
  async #end(link: string | null, message: string | null): Promise<void> {
    const { api } = this.#house;
    if (link !== null) await revokeLink(api, link);
    if (message === null) return;
    const extras = { path: { message_id: message }, query: { for: "everyone" } };
    await api.delete("/api/v1/messages/{message_id}", extras).catch((error: unknown) => {
      if (!isCode(error, "message-gone") && !isCode(error, "not-found")) throw error;
    });
  }
}

function secretOf(value: unknown): Uint8Array<ArrayBuffer> | null {
  try {
    return typeof value === "string" ? unb64(value, SECRET_BYTES) : null;
  } catch {
    return null;
  }
}
