/** An answering page as somebody sees it who has its address: what it says, its greeting, whether it takes calls. */

import { parseCaptions, type Cue } from "../media/captions";
import type { CryptoService, Details, OpenedEnvelope, PageOwner, RemoteVideo, VideoDetails } from "../crypto/service";
import { MessagePlayer } from "../media/player";
import { unb64 } from "../protocol/encoding";
import { isName } from "../protocol/names";
import type { Api } from "../transfer/http";
import { GuestLink } from "../transfer/links";
import { fetchPage, type Page } from "../transfer/pages";
import { malformed } from "../transfer/problem";
import type { RangedVideo } from "../transfer/ranges";
import { historyOf, pageDoor } from "./door";
import { askServer } from "./entering";
import { failureOf, isCode, Refused, type Failure } from "./failure";
import { CallerWay } from "./caller-way";
import { LeavingState } from "./leaving.svelte";
import { readPageFragment, type PageSecret } from "./page-address";

/** Why it takes no call: not at this hour (`opensAt` null: nobody knows when), only by its link, only from accounts. */
export type Closed = { why: "hours"; opensAt: number | null } | { why: "link" | "account" };

export interface PageView {
  readonly name: string;
  readonly note: string;
  /** Whether the address said whose key it is, and it is. */
  readonly isVerified: boolean;
  /** The address has another secret than the page: it is an earlier one. */
  readonly isEarlier: boolean;
  readonly closed: Closed | null;
  readonly hasGreeting: boolean;
}

export type CallPhase =
  | { kind: "looking" | "incomplete" | "nobody" }
  | { kind: "page"; page: PageView }
  | { kind: "failed"; failure: Failure };

interface CallTools {
  readonly startCrypto: () => CryptoService;
  readonly api: Api;
  readonly name: string;
  /** What stood behind the #, with it. */
  readonly fragment: string;
}

export class CallState {
  phase: CallPhase = $state.raw({ kind: "looking" });
  /** Of the greeting, once it was opened. */
  film: VideoDetails | null = $state.raw(null);
  captions: readonly Cue[] = $state.raw([]);
  isOpening = $state(false);
  /** The greeting does not open; one can be left all the same. */
  greetingFailure: Failure | null = $state.raw(null);
  /** Null: the address names nobody. What was recorded for them of old is there even when the page is not. */
  readonly leaving: LeavingState | null;
  readonly #crypto: CryptoService;
  readonly #tools: CallTools;
  readonly #address: PageSecret | null | "cut";
  readonly #closed = new AbortController();
  #greeting: { link: GuestLink; opened: OpenedEnvelope; bearer: string } | null = null;
  #video: RemoteVideo | null = null;
  #source: RangedVideo | null = null;

  constructor(tools: CallTools) {
    this.#tools = tools;
    this.#crypto = tools.startCrypto();
    this.#address = readPageFragment(tools.fragment);
    this.leaving = isName(tools.name) ? new LeavingState(this.#crypto, this.#way()) : null;
    void this.look();
  }

  /** Never rejects: `phase` tells. */
  async look(): Promise<void> {
    const address = this.#address;
    if (address === "cut") return void (this.phase = { kind: "incomplete" });
    this.phase = { kind: "looking" };
    try {
      this.phase = { kind: "page", page: await this.#look(address) };
    } catch (error) {
      if (this.#closed.signal.aborted) return;
      const isNobody = isCode(error, "no-such-page") || isCode(error, "no-such-account");
      this.phase = isNobody ? { kind: "nobody" } : { kind: "failed", failure: failureOf(error) };
    }
  }

  /** Opens the greeting, after a press. Never rejects: `greetingFailure` tells. */
  async greet(): Promise<void> {
    const greeting = this.#greeting;
    if (greeting === null || this.isOpening || this.film !== null) return;
    this.isOpening = true;
    try {
      const { link, opened, bearer } = greeting;
      const { token } = await link.open(bearer);
      const { key, details: sha256 } = opened.fields;
      const details = await this.#crypto.openDetails(await link.details(token), key, { sha256, kind: opened.kind });
      await this.#openVideo(link, { key, token, details });
    } catch (error) {
      if (!this.#closed.signal.aborted) this.greetingFailure = failureOf(error);
    } finally {
      this.isOpening = false;
    }
  }

  /** Plays the greeting into an element; the returned function ends it. */
  play(element: HTMLVideoElement): () => void {
    const [video, film] = [this.#video, this.film];
    if (video === null || film === null) return () => undefined;
    const player = new MessagePlayer(element, video, { ms: film.ms, type: film.type });
    player.onState = (state) => {
      if (state.kind === "failed") this.greetingFailure = failureOf(state.reason);
      if (state.kind === "damaged") this.greetingFailure = { code: "video-damaged" };
    };
    void player.open();
    return () => player.close();
  }

  close(): void {
    this.#closed.abort(new DOMException("closed", "AbortError"));
    this.leaving?.close();
    this.#closeGreeting();
    this.#crypto.close();
  }

  async #look(address: PageSecret | null): Promise<PageView> {
    const { api, name } = this.#tools;
    const bearer = address === null ? null : await this.#crypto.pageBearer(address.secret);
    if (!isName(name)) throw new Refused("no-such-page");
    const [{ name: server }, page] = await Promise.all([askServer(api), fetchPage(api, name, bearer)]);
    const acct = `${page.name}@${server}`;
    const owner = { acct, history: await historyOf(api, acct), fp: address?.fp ?? null };
    await this.#crypto.checkOwner(owner);
    const note = address === null ? "" : await this.#read(page, owner, { ...address, bearer: bearer ?? "" });
    const isEarlier = address !== null && page.profile === null;
    return {
      name: page.name,
      note,
      isVerified: address !== null,
      isEarlier,
      closed: closedOf(page, address !== null && !isEarlier),
      hasGreeting: this.#greeting !== null,
    };
  }

  /** What the page says to those who have its link. A greeting that does not open keeps nobody from calling. */
  async #read(page: Page, owner: PageOwner, { secret, bearer }: PageSecret & { bearer: string }): Promise<string> {
    this.#closeGreeting();
    if (page.profile === null) return "";
    const profile = await this.#crypto.openProfile(decoded(page.profile), secret, owner);
    if (profile.greeting === undefined || page.greeting === null) return profile.note ?? "";
    try {
      const link = new GuestLink(this.#tools.api, page.greeting);
      const named = { owner, greeting: profile.greeting, nowMs: Date.now() };
      const opened = await this.#crypto.openGreeting(await link.envelope(bearer), secret, named);
      this.#greeting = { link, opened, bearer };
    } catch (error) {
      this.greetingFailure = failureOf(error);
    }
    return profile.note ?? "";
  }

  #way(): CallerWay {
    const { api, name } = this.#tools;
    const known = this.#address === "cut" ? null : this.#address;
    const tools = { api, crypto: this.#crypto };
    const page = { name, fp: known?.fp ?? null, secret: known?.secret ?? null };
    return new CallerWay(tools, pageDoor(tools, page));
  }

  async #openVideo(link: GuestLink, opened: { key: string; token: string; details: Details }): Promise<void> {
    const { key, token, details } = opened;
    if (!details.video) return;
    this.#source = link.video(details.video.size, token, { signal: this.#closed.signal });
    this.#video = await this.#crypto.openVideo(key, this.#source, details.video.sha256);
    this.captions = cuesOf(details);
    this.film = details.video;
  }

  #closeGreeting(): void {
    this.#video?.close();
    this.#source?.close();
    this.#video = this.#source = this.#greeting = null;
    this.film = null;
  }
}

function closedOf({ takes_calls, opens_at, access }: Page, hasLink: boolean): Closed | null {
  if (access === "signed-in") return { why: "account" };
  if (access === "link" && !hasLink) return { why: "link" };
  return takes_calls ? null : { why: "hours", opensAt: opens_at };
}

function decoded(profile: string): Uint8Array<ArrayBuffer> {
  try {
    return unb64(profile);
  } catch {
    throw malformed("a profile");
  }
}

/** Captions that cannot be read keep nobody from watching. */
function cuesOf({ captions, video }: Details): Cue[] {
  try {
    return captions ? parseCaptions(captions, video?.ms) : [];
  } catch {
    return [];
  }
}
