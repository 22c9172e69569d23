/** A take as the page sees it: begun from an open capture, kept second by second, stopped, discarded or left to be sent. */

import type { CaptureNews } from "../media/capture";
import type { TakeEnd } from "../media/encode";
import type { PictureFeed } from "../media/feeds";
import { needsFallback } from "../media/recorder-fallback";
import { hostTake } from "../media/remote-take";
import type { Size } from "../media/size";
import { newId } from "../protocol/ids";
import type { DraftCall } from "../storage/drafts";
import { percentOf, type News, type RecordOptions, type RecordSource } from "./orders";
import { prepareWorker, startWorker, type WorkerLink } from "./link";
import { noteBringer } from "./bringers";
import { discardDraft } from "./recovery";

/** What of a capture is used up by a take. */
export interface TakeFeed {
  readonly video: PictureFeed;
  readonly audio: MessagePort | null;
  /** For a browser that encodes no other way. */
  readonly stream?: MediaStream;
  /** What happens to the devices meanwhile goes into the take's record. */
  listen?(listener: (news: CaptureNews) => void): () => void;
}

/**
 * - `starting`: waiting for the first picture.
 * - `recording`: running, or paused.
 * - `ending`: stopped, the rest is being kept.
 * - `kept`: complete on this device; it can be looked at and sent.
 * - `failed`: see `code`; what was kept until then is offered again as an interrupted draft.
 * - `discarded`: gone for good.
 */
export type TakePhase = "starting" | "recording" | "ending" | "kept" | "failed" | "discarded";

export interface TakeState {
  readonly phase: TakePhase;
  readonly isPaused: boolean;
  /** Media time so far. */
  readonly mediaMs: number;
  /** Flushed to this device up to here. */
  readonly keptMs: number;
  /** Acknowledged by the server up to here. */
  readonly storedMs: number;
  /** Of the upload, whole numbers, 100 only when all of it is stored; null while it is recorded. */
  readonly percent: number | null;
  readonly isStored: boolean;
  /** Why the upload waits: a code such as `offline`, `storage-full`, `not-signed-in`; null when it does not. */
  readonly trouble: string | null;
  /** Why the take ended by itself. */
  readonly end: TakeEnd | "device-full" | null;
  readonly code: string | null;
  /** Of the pictures as they are encoded now; null before the first. */
  readonly size: Size | null;
  /** The device does not keep up with the size that was wished, so pictures are smaller than that. */
  readonly isBehind: boolean;
}

export interface TakeOptions extends RecordOptions {
  acct: string;
  onChange?: (state: TakeState) => void;
  nowMs?: () => number;
  /** By whose leave it goes up, without an account. */
  call?: DraftCall;
}

const PULSE_MS = 1000;
/**
 * A worker that records tells its progress ten times a second; one that begins or ends may take its time. Counted in pulses, not in
 * time: a page that was held up itself, or a machine that slept, has felt but one of them.
 */
const SILENT_PULSES = 20;
const BUSY_PHASES: ReadonlySet<TakePhase> = new Set(["starting", "recording", "ending"]);

const BEGIN: TakeState = {
  phase: "starting",
  isPaused: false,
  mediaMs: 0,
  keptMs: 0,
  storedMs: 0,
  percent: null,
  isStored: false,
  trouble: null,
  end: null,
  code: null,
  size: null,
  isBehind: false,
};

export class TakeError extends Error {
  override readonly name = "TakeError";

  constructor(readonly code: string) {
    super(code);
  }
}

export class Take {
  /** The draft's id, and the message's when it is sent. */
  readonly id = newId("msg");
  readonly #worker: WorkerLink;
  readonly #onChange: (state: TakeState) => void;
  #state = BEGIN;
  #isClosed = false;
  #waiters: (() => void)[] = [];
  #unlisten: () => void = () => undefined;
  #pulse: ReturnType<typeof setInterval> | undefined;
  #silentPulses = 0;

  private constructor(onChange: (state: TakeState) => void) {
    this.#onChange = onChange;
    this.#worker = startWorker((news) => this.#hear(news));
  }

  /** Begins a take with the feeds of a capture, which are used up by it. */
  static start(feed: TakeFeed, options: TakeOptions): Take {
    const { acct, onChange = () => undefined, nowMs = Date.now, call, ...more } = options;
    const take = new Take(onChange);
    const { source, transfer } = sourceOf(feed);
    const whose = { id: take.id, acct, createdMs: nowMs(), ...(call && { call }) };
    take.#worker.order({ type: "record", ...whose, source, options: more }, transfer);
    take.#pulse = setInterval(() => take.#feelPulse(), PULSE_MS);
    take.#unlisten = feed.listen?.((news) => take.#note(news)) ?? take.#unlisten;
    noteBringer(
      take.id,
      (listener) => take.#listen(listener),
      () => take.close(),
    );
    return take;
  }

  get state(): TakeState {
    return this.#state;
  }

  pause(): void {
    this.#worker.order({ type: "pause" });
    this.#change({ isPaused: true });
  }

  resume(): void {
    this.#worker.order({ type: "resume" });
    this.#change({ isPaused: false });
  }

  /** Ends the take and waits until it is complete on this device. @throws TakeError such as `no-picture`, `device-full` */
  async stop(): Promise<void> {
    if (this.#isRunning) {
      this.#change({ phase: "ending" });
      this.#worker.order({ type: "stop" });
    }
    await this.#until(() => this.#state.phase === "kept");
  }

  /** Waits until the server has all of it. @throws TakeError */
  async stored(): Promise<void> {
    await this.#until(() => this.#state.isStored);
  }

  /** Gives the take up, on this device and on the server, for good. */
  async discard(): Promise<void> {
    if (this.#state.phase === "discarded") return;
    if (!this.#isClosed && this.#state.phase !== "failed") {
      this.#worker.order({ type: "discard" });
      // A worker that has just brought all of it up is gone by then, and says no more.
      await this.#until(() => this.#isGone || this.#isClosed).catch(() => undefined);
    }
    this.close();
    if (this.#isGone) return;
    await discardDraft(this.id);
    this.#change({ phase: "discarded" });
  }

  /** Lets the worker go. A take that is not complete is left as if the tab had been closed. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#pulse);
    this.#unlisten();
    this.#worker.close();
    noteBringer(this.id, null);
    this.#wake();
  }

  /** A getter, since the phase changes behind the compiler's back while one waits. */
  get #isGone(): boolean {
    return this.#state.phase === "discarded";
  }

  get #isRunning(): boolean {
    return this.#state.phase === "starting" || this.#state.phase === "recording";
  }

  #note(news: CaptureNews): void {
    if (!this.#isRunning || news.kind === "devices-changed") return;
    this.#worker.order({ type: "note", kind: news.kind, why: "why" in news ? news.why : null });
  }

  /** A worker that runs out of memory dies without a word. */
  #feelPulse(): void {
    this.#silentPulses += 1;
    if (!BUSY_PHASES.has(this.#state.phase) || this.#silentPulses < SILENT_PULSES) return;
    this.#hear({ type: "failed", code: "interrupted" });
  }

  #hear(news: News): void {
    this.#silentPulses = 0;
    const change = changeBy(news, this.#state);
    if (change !== null) this.#change(change);
    // After a failure what was kept is offered as an interrupted take, which nobody may hold.
    if (news.type === "brought" || this.#state.phase === "failed") this.close();
    for (const listener of this.#listeners) listener(news);
  }

  readonly #listeners = new Set<(news: News) => void>();

  #listen(listener: (news: News) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #change(change: Partial<TakeState>): void {
    this.#state = { ...this.#state, ...change };
    this.#onChange(this.#state);
    this.#wake();
  }

  #wake(): void {
    for (const waiter of this.#waiters.splice(0)) waiter();
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.#state.phase === "failed") throw new TakeError(this.#state.code ?? "interrupted");
      if (this.#state.phase === "discarded") throw new TakeError("discarded");
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }
}

/** Has everything ready that a take needs, so that it begins at once. What it gives lets go what was not needed. */
export function prepareTake(): () => void {
  return prepareWorker();
}

function sourceOf(feed: TakeFeed): { source: RecordSource; transfer: Transferable[] } {
  const made = needsFallback() && feed.stream ? hostTake(feed.stream) : null;
  if (made) return { source: { made }, transfer: [made] };
  const { video, audio } = feed;
  return { source: { video, audio }, transfer: audio ? [video, audio] : [video] };
}

/** What a piece of news changes. Pure. */
export function changeBy(news: News, state: TakeState): Partial<TakeState> | null {
  switch (news.type) {
    case "started":
      return state.phase === "starting" ? { phase: "recording" } : null;
    case "progress":
      return { mediaMs: Math.max(state.mediaMs, news.mediaMs) };
    case "quality":
      return { size: { width: news.width, height: news.height }, isBehind: news.isBehind };
    case "kept":
      // Progress is told ten times a second, and what is kept at once.
      return { keptMs: Math.max(state.keptMs, news.ms), mediaMs: Math.max(state.mediaMs, news.ms) };
    case "stored":
      return { storedMs: Math.floor(news.ms), percent: percentOf(news.bytes, news.total) };
    case "trouble":
      return state.trouble === news.code ? null : { trouble: news.code };
    case "ended":
      return { end: state.end ?? news.end, ...(isOver(state.phase) ? {} : { phase: "ending" as const }) };
    case "complete":
      return { phase: "kept", mediaMs: news.ms, keptMs: news.ms, percent: state.isStored ? 100 : (state.percent ?? 0) };
    case "brought":
      return { isStored: true, storedMs: state.keptMs, percent: 100, trouble: null };
    case "discarded":
      return { phase: "discarded" };
    case "failed":
      // What is kept stays kept, whatever becomes of its upload.
      return state.phase === "kept" ? { trouble: news.code } : { phase: "failed", code: news.code };
    case "recovered":
    case "making":
    case "made":
    case "refused":
      return null;
  }
}

function isOver(phase: TakePhase): boolean {
  return phase === "kept" || phase === "failed" || phase === "discarded";
}
