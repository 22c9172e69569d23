/** A video for one addressee who is known from the start: let in, recorded, looked at, sent. It is never lost on the way. */

import type { CryptoService, RemoteVideo } from "../crypto/service";
import { MessagePlayer } from "../media/player";
import { openDatabase } from "../storage/db";
import { Drafts, type Draft, type DraftCall, type DraftVideo, type DraftWish } from "../storage/drafts";
import { recoverDraft, sweepSpools, type FoundDraft } from "../take/recovery";
import type { BoothHost } from "./booth-host";
import { fileName, giveFile } from "./downloads";
import type { Editing } from "./drafts-editing.svelte";
import { failureOf, isCode, type Failure } from "./failure";
import { guestAddress } from "./guest-link";
import type { RecordingState } from "./recording.svelte";
import type { Held } from "./held";

export type LeavingPhase =
  /** Nothing has begun; `isKept`: a take of before lies here. */
  | { kind: "idle"; isKept: boolean }
  | { kind: "entering" }
  | { kind: "booth" }
  | { kind: "opening" | "review" }
  | { kind: "sending"; percent: number; held: Held }
  /** `answer`: where an answer will be, if one was asked for. */
  | { kind: "left"; atMs: number; answer: string | null }
  /** `isKept`: a take lies here all the same, to be looked at, saved, or tried again. */
  | { kind: "failed"; failure: Failure; isKept: boolean };

/** What is typed to go with it. */
export interface Typed {
  readonly name: string;
  readonly caption: string;
  readonly wantsAnswer: boolean;
}

/** How far it is; `percent` is acknowledged, never rounded up. */
export interface LeavingStep {
  readonly percent: number;
  readonly held: Held;
}

/** For whom it is, and how it gets there. */
export interface LeavingWay {
  /** Takes of before that lie on this device and are to be offered here, the newest first. @throws StorageError */
  find(): Promise<readonly FoundDraft[]>;
  /** Gets in; gives what a take is recorded with. @throws Problem, Refused */
  enter(before: DraftCall | undefined): Promise<BoothHost>;
  /** @throws StorageError busy */
  discard(id: string): Promise<void>;
  /** A take that was made whole has another id. */
  moved(from: string, to: string): void;
  /** @throws Problem */
  wish(typed: Typed, draft: Draft): DraftWish | Promise<DraftWish>;
  /** Sends, or goes on with it (null); gives when the server had it. @throws Problem, ProtocolError, StorageError */
  send(id: string, wish: DraftWish | null, onStep: (step: LeavingStep) => void): Promise<number>;
  close(): void;
}

/** In the place of a link's id, which the server is still to make. */
const ANSWER = "answer";

export class LeavingState {
  phase: LeavingPhase = $state.raw({ kind: "idle", isKept: false });
  recording: RecordingState | null = $state.raw(null);
  film: DraftVideo | null = $state.raw(null);
  /** Of the take that is looked at: its captions. */
  editing: Editing | null = $state.raw(null);
  /** How the caller calls themselves; empty: not at all. */
  name = $state("");
  caption = $state("");
  wantsAnswer = $state(false);
  saving = $state(false);
  countdown = $state(true);
  /** The take that is looked at, or was kept before. */
  #id: string | null = null;
  #video: RemoteVideo | null = null;
  #createdMs = Date.now();
  readonly #crypto: CryptoService;
  readonly #way: LeavingWay;
  readonly #closed = new AbortController();

  constructor(crypto: CryptoService, way: LeavingWay) {
    this.#crypto = crypto;
    this.#way = way;
    void this.look();
  }

  /** Whether the person must stay until it is kept. */
  get isHeld(): boolean {
    return this.recording?.isRunning ?? false;
  }

  /** Looks for what lies here: a send that was interrupted goes on. Never rejects. */
  async look(): Promise<void> {
    try {
      const found = (await this.#way.find()).filter(({ kind }) => kind !== "evicted" && kind !== "elsewhere");
      const [newest] = found;
      if (this.phase.kind !== "idle" || newest === undefined) return;
      this.#id = newest.id;
      this.phase = { kind: "idle", isKept: true };
      if (newest.kind === "sending") await this.#go(newest.id, null);
    } catch (error) {
      console.warn("takes of before", failureOf(error).code); // without storage nothing can lie here
    } finally {
      void sweepSpools().catch(() => undefined);
    }
  }

  /** Gets in and opens the booth. Never rejects: `phase` tells. */
  async begin(): Promise<void> {
    this.phase = { kind: "entering" };
    try {
      await this.#enterBooth(await this.#way.enter(undefined), null);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Opens the take that lies here, to look at it. Never rejects. */
  async open(id: string | null = this.#id): Promise<void> {
    if (id === null) return;
    this.#leaveBooth();
    this.phase = { kind: "opening" };
    this.#id = id;
    try {
      await this.#open(id);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Records once more; the take that there is stays until the new one is kept. */
  async again(): Promise<void> {
    const id = this.#id;
    if (id === null) return this.begin();
    this.phase = { kind: "entering" };
    try {
      const { content } = await this.#draft(id);
      await this.#enterBooth(await this.#way.enter(content.call), id);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Out of the booth, to what lies here or to the beginning. */
  async leaveBooth(): Promise<void> {
    const id = this.#id;
    this.#leaveBooth();
    if (id !== null) return this.open(id);
    this.phase = { kind: "idle", isKept: false };
  }

  /** Plays the take into an element; the returned function ends it. */
  play(element: HTMLVideoElement): () => void {
    const [video, film] = [this.#video, this.film];
    if (video === null || film === null) return () => undefined;
    const player = new MessagePlayer(element, video, { ms: film.ms, type: film.type });
    void player.open();
    return () => player.close();
  }

  /** Sends the take; it goes on after the page was loaded anew. Never rejects. */
  async send(): Promise<void> {
    const id = this.#id;
    if (id === null) return;
    const typed = { name: this.name.trim(), caption: this.caption.trim(), wantsAnswer: this.wantsAnswer };
    try {
      await this.#go(id, await this.#way.wish(typed, await this.#draft(id)));
    } catch (error) {
      this.#fail(error);
    }
  }

  async retry(): Promise<void> {
    const id = this.#id;
    if (id === null) return this.begin();
    const draft = await this.#draft(id).catch(() => null);
    await (draft?.content.wish ? this.#go(id, null) : this.open(id));
  }

  async save(): Promise<void> {
    if (this.#id === null || this.saving) return;
    this.saving = true;
    try {
      const { exportDraft } = await import("../take/export");
      giveFile(await exportDraft(this.#id), fileName("", this.#createdMs));
    } catch (error) {
      this.#fail(error);
    } finally {
      this.saving = false;
    }
  }

  /** Gives the take up, for good. Never rejects. */
  async discard(): Promise<void> {
    const id = this.#id;
    try {
      if (id !== null) await this.#way.discard(id);
      this.#closeVideo();
      this.#id = null;
      this.phase = { kind: "idle", isKept: false };
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Back to the page, after it was left. */
  finish(): void {
    this.phase = { kind: "idle", isKept: false };
    void this.look(); // there may be an older one
  }

  close(): void {
    this.#closed.abort(new DOMException("closed", "AbortError"));
    this.#leaveBooth();
    this.#closeVideo();
    this.#way.close();
  }

  /** The booth is loaded when somebody wants to speak: most only look. */
  async #enterBooth(host: BoothHost, instead: string | null): Promise<void> {
    const { RecordingState } = await import("./recording.svelte");
    if (this.#closed.signal.aborted) return;
    this.#closeVideo();
    this.recording = new RecordingState(this.#counting(host), { instead, onKept: (id) => void this.open(id) });
    this.phase = { kind: "booth" };
  }

  #leaveBooth(): void {
    this.recording?.close();
    this.recording = null;
  }

  /** Whether it counts down is chosen here, where there may be nobody's settings. */
  #counting(host: BoothHost): BoothHost {
    const isCountingDown = (): boolean => this.countdown;
    const choices = {
      beep: host.choices.beep,
      get countdown() {
        return isCountingDown();
      },
    };
    return Object.create(host, { choices: { value: choices } }) as BoothHost;
  }

  async #draft(id: string): Promise<Draft> {
    return new Drafts(await openDatabase()).get(id);
  }

  async #open(id: string): Promise<void> {
    const { content, createdMs } = await this.#draft(id);
    if (content.video === null) {
      this.#id = await recoverDraft(id);
      this.#way.moved(id, this.#id);
      return this.#open(this.#id);
    }
    this.#createdMs = createdMs;
    this.#recall(content.wish);
    const editing = await this.#editingOf(id);
    const { openDraftVideo } = await import("../take/export");
    const opened = { video: null as RemoteVideo | null };
    await openDraftVideo(id, async (key, source, parts) => {
      return (opened.video = await this.#crypto.openVideo(key, source, parts));
    });
    this.#closeVideo();
    if (this.#closed.signal.aborted) return opened.video?.close();
    this.#video = opened.video;
    [this.film, this.editing] = [content.video, editing];
    this.phase = { kind: "review" };
  }

  async #editingOf(id: string): Promise<Editing> {
    const { Editing } = await import("./drafts-editing.svelte");
    const editing = new Editing(new Drafts(await openDatabase()), id);
    await editing.recall();
    return editing;
  }

  #recall(wish: DraftWish | null): void {
    if (wish === null) return;
    this.name = wish.name ?? "";
    this.caption = wish.caption ?? "";
    this.wantsAnswer = wish.answer !== undefined;
  }

  async #go(id: string, wish: DraftWish | null): Promise<void> {
    this.phase = { kind: "sending", percent: 0, held: null };
    try {
      const answer = (wish ?? (await this.#draft(id)).content.wish)?.answer ?? null;
      const atMs = await this.#way.send(id, wish, (step) => (this.phase = { kind: "sending", ...step }));
      this.#closeVideo();
      this.#id = null;
      const address = answer === null ? null : guestAddress(location.origin, ANSWER, answer);
      this.phase = { kind: "left", atMs, answer: address };
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#closed.signal.aborted) return;
    if (isCode(error, "not-on-this-device")) this.#id = null;
    this.phase = { kind: "failed", failure: failureOf(error), isKept: this.#id !== null };
  }

  #closeVideo(): void {
    this.#video?.close();
    this.#video = this.film = this.editing = null;
  }
}
