/** Somebody without an account leaves a video: let in, recorded, looked at, sent. What was recorded is never lost on the way. */

import type { CryptoService, RemoteVideo } from "../crypto/service";
import { MessagePlayer } from "../media/player";
import { b64 } from "../protocol/encoding";
import { randomBytes } from "../protocol/ids";
import { openDatabase } from "../storage/db";
import { Drafts, type Draft, type DraftCall, type DraftVideo, type DraftWish } from "../storage/drafts";
import { callOf } from "../take/outgoing";
import { discardDraft, findDrafts, onceFree, recoverDraft, sweepSpools } from "../take/recovery";
import { resumeDraft, sendDraft, type SendingOptions, type SendingState as Step } from "../take/sending";
import { BringingFailed } from "../take/bringers";
import type { Take } from "../take/take";
import type { Api } from "../transfer/http";
import type { BoothHost } from "./booth-host";
import { callAgain, historyOf, type Door } from "./door";
import { fileName, giveFile } from "./downloads";
import { failureOf, isCode, type Failure } from "./failure";
import { guestAddress } from "./guest-link";
import { RecordingState } from "./recording.svelte";
import { heldBy, type Held } from "./sending.svelte";

export type LeavingPhase =
  /** Nothing has begun; `isKept`: a take of before lies here. */
  | { kind: "idle"; isKept: boolean }
  | { kind: "entering" | "booth" }
  | { kind: "opening" | "review" }
  | { kind: "sending"; percent: number; held: Held }
  /** `answer`: where an answer will be, if one was asked for. */
  | { kind: "left"; atMs: number; answer: string | null }
  /** `isKept`: a take lies here all the same, to be looked at, saved, or tried again. */
  | { kind: "failed"; failure: Failure; isKept: boolean };

export interface LeavingTools {
  readonly api: Api;
  readonly crypto: CryptoService;
  readonly door: Door;
  /** How the owner is called, for names of files. */
  readonly name: string;
}

const SECRET_BYTES = 32;
/** In the place of a link's id, which the server is still to make. */
const ANSWER = "answer";
const CHOICES = { countdown: true, beep: true };

export class LeavingState {
  phase: LeavingPhase = $state.raw({ kind: "idle", isKept: false });
  recording: RecordingState | null = $state.raw(null);
  film: DraftVideo | null = $state.raw(null);
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
  readonly #tools: LeavingTools;
  readonly #takes = new Map<string, Take>();
  readonly #closed = new AbortController();

  constructor(tools: LeavingTools) {
    this.#tools = tools;
    void this.look();
  }

  /** Whether the person must stay until it is kept. */
  get isHeld(): boolean {
    return this.recording?.isRunning ?? false;
  }

  /** Looks for what lies here: a send that was interrupted goes on. Never rejects. */
  async look(): Promise<void> {
    try {
      const found = (await findDrafts(this.#tools.door.label)).filter(({ kind }) => kind !== "evicted");
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
      this.#enterBooth(await this.#tools.door.enter(), null);
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
      const { call } = (await this.#draft(id)).content;
      const isGood = call !== undefined && call.untilMs > Date.now();
      this.#enterBooth(isGood ? call : await this.#tools.door.enter(), id);
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
    const draft = await this.#draft(id).catch(() => null);
    if (draft?.content.call) await this.#go(id, this.#wish(draft.content.call));
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
      giveFile(await exportDraft(this.#id), fileName(this.#tools.name, this.#createdMs));
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
      if (id !== null) await this.#drop(id);
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
  }

  close(): void {
    this.#closed.abort(new DOMException("closed", "AbortError"));
    this.#leaveBooth();
    this.#closeVideo();
    for (const take of this.#takes.values()) take.close();
  }

  #enterBooth(call: DraftCall, instead: string | null): void {
    if (this.#closed.signal.aborted) return;
    this.#closeVideo();
    this.recording = new RecordingState(this.#host(call), { instead, onKept: (id) => void this.open(id) });
    this.phase = { kind: "booth" };
  }

  #leaveBooth(): void {
    this.recording?.close();
    this.recording = null;
  }

  #host(call: DraftCall): BoothHost {
    const isCountingDown = (): boolean => this.countdown;
    return {
      acct: this.#tools.door.label,
      name: this.#tools.name,
      call,
      choices: {
        ...CHOICES,
        get countdown() {
          return isCountingDown();
        },
      },
      get isOffline() {
        return !navigator.onLine;
      },
      adopt: (take) => void this.#takes.set(take.id, take),
      drop: (id) => void this.#drop(id).catch(() => undefined), // stays, and is offered again
      refresh: () => undefined,
    };
  }

  async #drop(id: string): Promise<void> {
    const take = this.#takes.get(id);
    this.#takes.delete(id);
    await (take ? take.discard() : discardDraft(id));
  }

  async #draft(id: string): Promise<Draft> {
    return new Drafts(await openDatabase()).get(id);
  }

  async #open(id: string): Promise<void> {
    const { content, createdMs } = await this.#draft(id);
    if (content.video === null) return this.#open((this.#id = await recoverDraft(id)));
    this.#createdMs = createdMs;
    this.#recall(content.wish);
    const { openDraftVideo } = await import("../take/export");
    const opened = { video: null as RemoteVideo | null };
    await openDraftVideo(id, async (key, source, parts) => {
      return (opened.video = await this.#tools.crypto.openVideo(key, source, parts));
    });
    this.#closeVideo();
    if (this.#closed.signal.aborted) return opened.video?.close();
    this.#video = opened.video;
    this.film = content.video;
    this.phase = { kind: "review" };
  }

  #recall(wish: DraftWish | null): void {
    if (wish === null) return;
    this.name = wish.name ?? "";
    this.caption = wish.caption ?? "";
    this.wantsAnswer = wish.answer !== undefined;
  }

  #wish({ to }: DraftCall): DraftWish {
    const [name, caption] = [this.name.trim(), this.caption.trim()];
    const { replyTo } = this.#tools.door;
    return {
      to: [to],
      caption: caption === "" ? null : caption,
      ...(replyTo !== null && { replyTo }),
      ...(name !== "" && { name }),
      ...(this.wantsAnswer && { answer: b64(randomBytes(SECRET_BYTES)) }),
    };
  }

  async #go(id: string, wish: DraftWish | null): Promise<void> {
    this.phase = { kind: "sending", percent: 0, held: null };
    try {
      const answer = (wish ?? (await this.#draft(id)).content.wish)?.answer ?? null;
      const atMs = await this.#sent(id, wish);
      this.#closeVideo();
      this.#id = null;
      const address = answer === null ? null : guestAddress(location.origin, ANSWER, answer);
      this.phase = { kind: "left", atMs, answer: address };
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Another tab may still be recording or bringing it: then it is waited for. */
  async #sent(id: string, wish: DraftWish | null): Promise<number> {
    const { signal } = this.#closed;
    const left = { atMs: Date.now() };
    const options = this.#options((atMs) => (left.atMs = atMs));
    for (let wanted = wish; ; wanted = null) {
      try {
        await (wanted === null ? resumeDraft(id, options) : sendDraft(id, wanted, options));
        return left.atMs;
      } catch (error) {
        if (!(error instanceof BringingFailed) || error.code !== "busy") throw error;
        await onceFree(id, signal);
      }
    }
  }

  #options(onLeft: (atMs: number) => void): SendingOptions {
    const { api, crypto } = this.#tools;
    const right = ({ content }: Draft): string => `Bearer ${content.call?.token ?? ""}`;
    return {
      api,
      signal: this.#closed.signal,
      onState: (step) => this.#hear(step, onLeft),
      compose: async (outgoing) => {
        const { call } = outgoing.draft.content;
        const acct = outgoing.wish.to[0] ?? "";
        const owner = { acct, history: await historyOf(api, acct), fp: call?.fp ?? null };
        return { ...(await crypto.composeCall(callOf(outgoing, Date.now()), owner)), sent: "" };
      },
      call: {
        post: (draft) => ({ url: "/api/v1/calls/message", headers: { authorization: right(draft) } }),
        renew: async ({ id, content }) => {
          const call = content.call && (await callAgain(this.#tools, content.call));
          if (call) await new Drafts(await openDatabase()).change(id, () => ({ call }));
        },
      },
    };
  }

  #hear(step: Step, onLeft: (atMs: number) => void): void {
    if (step.kind === "sent") onLeft(step.receivedAtMs);
    if (step.kind === "uploading") {
      this.phase = { kind: "sending", percent: step.percent, held: heldBy(step.trouble) };
    } else if (step.kind === "sealing" || step.kind === "posting") {
      this.phase = { kind: "sending", percent: 100, held: heldBy(step.trouble) };
    }
  }

  #fail(error: unknown): void {
    if (this.#closed.signal.aborted) return;
    if (isCode(error, "not-on-this-device")) this.#id = null;
    this.phase = { kind: "failed", failure: failureOf(error), isKept: this.#id !== null };
  }

  #closeVideo(): void {
    this.#video?.close();
    this.#video = null;
    this.film = null;
  }
}
