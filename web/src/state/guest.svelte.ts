/** A video that came by link: looked at without an account. Only the press of the button counts as an open. */

import type { CryptoService, OpenedEnvelope, RemoteVideo, VideoDetails } from "../crypto/service";
import { MessagePlayer, type PlayerState } from "../media/player";
import { Api } from "../transfer/http";
import { GuestLink, type LinkView } from "../transfer/links";
import { findAnswer } from "../transfer/pages";
import type { RangedVideo } from "../transfer/ranges";
import { fileName, fileOf, giveFile } from "./downloads";
import { CallerWay } from "./caller-way";
import { historyOf, linkDoor, type OpenedLink } from "./door";
import { failureOf, isCode, Refused, type Failure } from "./failure";
import { LeavingState } from "./leaving.svelte";

export type GuestPhase =
  /** The address lacks what opens it. */
  | { kind: "incomplete" }
  | { kind: "looking" }
  /** `wrong`: the last one typed does not open it. */
  | { kind: "password"; wrong: boolean; busy: boolean }
  /** It can be opened, which counts. */
  | { kind: "sealed"; busy: boolean }
  | { kind: "ready" }
  | { kind: "cut-off" | "damaged"; atMs: number }
  | { kind: "failed"; failure: Failure };

export interface GuestContent {
  /** How the sender calls themselves; null: they did not say. */
  readonly name: string | null;
  readonly acct: string | null;
  readonly isSigned: boolean;
  readonly createdMs: number;
}

/** Stands in an address for the id of a link that is not made yet. */
const ANSWER = "answer";

interface GuestTools {
  readonly startCrypto: () => CryptoService;
  readonly id: string;
  readonly secret: Uint8Array | null;
  readonly api?: Api;
}

export class GuestState {
  phase: GuestPhase = $state.raw({ kind: "looking" });
  /** From the envelope, before anything is counted. */
  about: GuestContent | null = $state.raw(null);
  caption = $state("");
  film: VideoDetails | null = $state.raw(null);
  picture: string | null = $state(null);
  maySave = $state(false);
  saving: number | null = $state(null);
  /** The sender lets whoever watches it answer by video. */
  mayAnswer = $state(false);
  /** A video for the sender: also one of before, which is there before the link is opened. */
  readonly leaving: LeavingState;
  readonly #api: Api;
  readonly #crypto: CryptoService;
  readonly #id: string;
  #link: GuestLink;
  #opened: OpenedLink | null = null;
  readonly #secret: Uint8Array | null;
  readonly #closed = new AbortController();
  #sealed: Uint8Array | null = null;
  #envelope: OpenedEnvelope | null = null;
  #video: RemoteVideo | null = null;
  #source: RangedVideo | null = null;

  constructor({ startCrypto, id, secret, api = new Api() }: GuestTools) {
    this.#api = api;
    this.#id = id;
    this.#crypto = startCrypto();
    this.#link = new GuestLink(api, id);
    const tools = { api, crypto: this.#crypto };
    this.leaving = new LeavingState(
      this.#crypto,
      new CallerWay(
        tools,
        linkDoor(tools, id, () => this.#opened),
      ),
    );
    this.#secret = secret;
    void this.look();
  }

  /** Fetches the envelope, which is not counted. Never rejects. */
  async look(): Promise<void> {
    if (this.#secret === null) return void (this.phase = { kind: "incomplete" });
    this.phase = { kind: "looking" };
    await this.#try(async (secret) => {
      const bearer = await this.#crypto.linkBearer(secret);
      if (this.#id === ANSWER) this.#link = await this.#answerOf(bearer);
      this.#sealed = await this.#link.envelope(bearer);
      await this.#unseal(secret, null);
    });
  }

  /** Tries a password: on this device, so that a wrong one costs nothing. */
  async unlock(password: string): Promise<void> {
    this.phase = { kind: "password", wrong: false, busy: true };
    await this.#try(async (secret) => this.#unseal(secret, password));
  }

  /** Opens it, which counts. Never rejects. */
  async open(): Promise<void> {
    const envelope = this.#envelope;
    if (envelope === null) return;
    this.phase = { kind: "sealed", busy: true };
    await this.#try(async (secret) => {
      const view = await this.#link.open(await this.#crypto.linkBearer(secret));
      const { key, details: sha256 } = envelope.fields;
      const data = await this.#link.details(view.token);
      const details = await this.#crypto.openDetails(data, key, { sha256, kind: envelope.kind });
      this.maySave = view.may_save;
      this.#noteAnswer(view);
      this.caption = details.caption ?? details.text ?? details.reaction ?? "";
      if (details.video) await this.#openVideo(key, details.video, view.token);
      this.phase = { kind: "ready" };
    });
  }

  /** Plays into an element; the returned function ends it. */
  play(element: HTMLVideoElement): () => void {
    const [video, film] = [this.#video, this.film];
    if (video === null || film === null) return () => undefined;
    const player = new MessagePlayer(element, video, { ms: film.ms, type: film.type });
    player.onState = (state) => this.#hear(state);
    void player.open();
    return () => player.close();
  }

  async save(): Promise<void> {
    if (this.#video === null || this.saving !== null) return;
    this.saving = 0;
    try {
      const file = await fileOf(this.#video, (percent) => (this.saving = percent), this.#closed.signal);
      giveFile(file, fileName(this.about?.name ?? "", this.about?.createdMs ?? Date.now()));
    } catch (error) {
      if (!this.#closed.signal.aborted) this.phase = { kind: "failed", failure: failureOf(error) };
    } finally {
      this.saving = null;
    }
  }

  close(): void {
    this.#closed.abort(new DOMException("closed", "AbortError"));
    this.leaving.close();
    this.#video?.close();
    this.#source?.close();
    this.#crypto.close();
  }

  /** Without a password it opens by the link alone, or is no envelope for it: then it has one. */
  async #unseal(secret: Uint8Array, password: string | null): Promise<void> {
    if (this.#sealed === null) return;
    try {
      this.#envelope = await this.#crypto.openLinkEnvelope(this.#sealed, { secret, password }, Date.now());
    } catch (error) {
      if (!isCode(error, "envelope-no-match")) throw error;
      this.phase = { kind: "password", wrong: password !== null, busy: false };
      return;
    }
    const { from, created } = this.#envelope.fields;
    const isSigned = this.#envelope.trust !== "unsigned";
    await this.#checkSigner(this.#envelope);
    this.about = {
      name: from?.name ?? from?.acct?.split("@")[0] ?? null,
      acct: isSigned ? (from?.acct ?? null) : null,
      isSigned,
      createdMs: created,
    };
    this.phase = { kind: "sealed", busy: false };
  }

  /** A guest has nobody pinned: whose key it is stands in the server's records. */
  async #checkSigner({ signer, fields }: OpenedEnvelope): Promise<void> {
    const acct = fields.from?.acct;
    if (signer === null || acct === undefined) return;
    await this.#crypto.checkSigner(acct, await historyOf(this.#api, acct), signer);
  }

  /** An answer has no link yet when its address is made: who holds the address asks which it became. */
  async #answerOf(bearer: string): Promise<GuestLink> {
    const id = await findAnswer(this.#api, bearer).catch((error: unknown) => {
      throw isCode(error, "not-found") ? new Refused("no-answer-yet") : error;
    });
    return new GuestLink(this.#api, id);
  }

  #noteAnswer({ token, may_answer }: LinkView): void {
    const [to, replyTo] = [this.about?.acct ?? null, this.#envelope?.fields.id];
    this.mayAnswer = may_answer && to !== null && replyTo !== undefined;
    if (this.mayAnswer && to !== null && replyTo !== undefined) this.#opened = { view: token, to, replyTo };
  }

  async #openVideo(key: string, film: VideoDetails, token: string): Promise<void> {
    this.#video?.close();
    this.#source?.close();
    this.#source = this.#link.video(film.size, token, { signal: this.#closed.signal });
    this.#video = await this.#crypto.openVideo(key, this.#source, film.sha256);
    this.film = film;
  }

  #hear(state: PlayerState): void {
    if (state.kind === "failed") this.phase = { kind: "failed", failure: failureOf(state.reason) };
    if (state.kind === "unplayable") this.phase = { kind: "failed", failure: { code: "not-a-video" } };
    if (state.kind === "cut-off" || state.kind === "damaged")
      this.phase = { kind: state.kind, atMs: Math.floor(state.atS * 1000) };
  }

  async #try(work: (secret: Uint8Array) => Promise<void>): Promise<void> {
    const secret = this.#secret;
    if (secret === null) return;
    try {
      await work(secret);
    } catch (error) {
      if (!this.#closed.signal.aborted) this.phase = { kind: "failed", failure: failureOf(error) };
    }
  }
}
