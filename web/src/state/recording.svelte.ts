/** The booth: camera and microphone open, countdown, beep, a take that is kept second by second, its end. */

import { CaptureRefused, openCapture, type CaptureRefusal, type Level } from "../media/capture";
import { askToPersist } from "../storage/db";
import { prepareTake, Take, type TakeState } from "../take/take";
import { recalledDevices } from "./devices";
import { fileName, giveFile } from "./downloads";
import type { BoothHost } from "./booth-host";
import { beep } from "./recording-beep";
import { BoothDevices } from "./recording-devices.svelte";
import { FileTaking, type FileWish, type TakenFile } from "./recording-file.svelte";
import { Hearing, ScreenLight, watchRoom } from "./recording-room";
import { heldBy } from "./held";

export type RecordingNotice =
  "offline" | "silent" | "device-nearly-full" | "server-full" | "signed-out" | "plan" | "smaller";
export type RecordingEnd = "limit" | "device-full" | "encoder";
/** Why a take stands still: the person wished it, or the system took camera or microphone away. */
export type PauseReason = "person" | "call" | "hidden";
export type Booth =
  | { kind: "asking" | "unsupported" | CaptureRefusal | "ready" | "beep" }
  | { kind: "counting"; seconds: number }
  | {
      kind: "recording";
      keptMs: number;
      storedMs: number;
      notice: RecordingNotice | null;
      paused: PauseReason | null;
    }
  | { kind: "finishing"; keptMs: number }
  | { kind: "stopped"; why: RecordingEnd; keptMs: number; storedMs: number }
  | TakenFile;

export interface RecordingWish {
  /** The take that this one replaces: kept until this one is. */
  instead: string | null;
  /** The person stopped it, and it is kept. */
  onKept: (id: string) => void;
}

const COUNT_FROM = 3;
const SECOND_MS = 1000;
const SMALLER_SAID_MS = 8000;
const WISH = { width: 1280, height: 720 };

export class RecordingState {
  booth: Booth = $state.raw({ kind: "asking" });
  /** Loudness, 0 to 1; null without a microphone. */
  level: number | null = $state(null);
  /** The microphone gives nothing at all. */
  isUnheard = $state(false);
  /** Seconds that still fit here, when they are few. */
  roomS: number | null = $state(null);
  /** Takes that lie aside until the next is kept, the last one last. */
  instead: readonly string[] = $state.raw([]);
  readonly devices = new BoothDevices({
    interrupted: (why) => this.pause(why),
    isRunning: () => this.isRunning,
    seeing: (isSeeing) => this.#see(isSeeing),
  });
  readonly #host: BoothHost;
  readonly #wish: RecordingWish;
  readonly #light = new ScreenLight();
  readonly #files: FileTaking;
  #take: Take | null = null;
  #pausedBy: PauseReason | null = null;
  #smallerSinceMs: number | null = null;
  #isClosed = false;
  #countdown = new AbortController();
  #hearing = new Hearing(0);
  readonly #unwatchRoom: () => void;

  constructor(host: BoothHost, wish: RecordingWish) {
    this.#host = host;
    this.#wish = wish;
    this.#files = new FileTaking(host, (booth) => this.#showFile(booth));
    if (wish.instead !== null) this.instead = [wish.instead];
    this.#unwatchRoom = watchRoom((seconds) => (this.roomS = seconds));
    void this.open();
  }

  /** Whether the person must stay until it is kept. */
  get isRunning(): boolean {
    return this.booth.kind === "recording" || this.booth.kind === "finishing";
  }

  /** Asks for camera and microphone, again if they were refused. Never rejects: `booth` tells. */
  async open(): Promise<void> {
    this.#closeCapture();
    this.booth = { kind: "asking" };
    try {
      const capture = await openCapture({ ...WISH, ...recalledDevices() });
      if (this.#isClosed || this.booth.kind !== "asking") return capture.close();
      this.#hearing = new Hearing(performance.now());
      capture.onLevel = (level) => this.#noteLevel(level);
      this.booth = { kind: canEncode() ? "ready" : "unsupported" };
      this.devices.take(capture);
      this.level = capture.hasMicrophone ? 0 : null;
    } catch (error) {
      if (this.#isClosed || this.booth.kind !== "asking") return;
      this.booth = { kind: error instanceof CaptureRefused ? error.code : "busy" };
    }
  }

  /** Counts down, unless that is switched off; beeps, records. */
  async start(): Promise<void> {
    if (this.booth.kind !== "ready") return;
    this.#countdown = new AbortController();
    const { signal } = this.#countdown;
    signal.addEventListener("abort", prepareTake());
    const { choices } = this.#host;
    for (let seconds = choices.countdown ? COUNT_FROM : 0; seconds > 0; seconds -= 1) {
      this.booth = { kind: "counting", seconds };
      await new Promise((resolve) => setTimeout(resolve, SECOND_MS));
      if (signal.aborted) return;
    }
    this.booth = { kind: "beep" };
    await beep(choices.beep);
    if (!signal.aborted) this.#record();
  }

  /** Ends the countdown. */
  cancel(): void {
    this.#countdown.abort();
    if (this.booth.kind === "counting") this.booth = { kind: "ready" };
  }

  /** What is said while it stands still is not in the take. */
  pause(why: PauseReason = "person"): void {
    if (this.booth.kind !== "recording" || this.#pausedBy !== null) return;
    this.#pausedBy = why;
    this.#take?.pause();
  }

  resume(): void {
    if (this.#pausedBy === null) return;
    this.#pausedBy = null;
    this.#hearing = new Hearing(performance.now());
    this.#take?.resume();
  }

  /** Ends the take; `onKept` is told when all of it is on this device. */
  stop(): void {
    this.#take?.stop().catch(() => undefined); // the state tells
  }

  /** Starts over. The take that there is lies aside until the next one is kept. */
  async again(): Promise<void> {
    const take = this.#take;
    this.#take = null;
    this.#rest();
    await take?.stop().catch(() => undefined); // nothing of it was kept
    if (take?.state.phase === "kept") this.instead = [...this.instead, take.id];
    this.#host.refresh();
    const { feed, camera } = this.devices;
    if (feed === null || camera === null) return this.open();
    feed.renew();
    this.booth = { kind: "ready" };
  }

  /** On to the review of what was stopped. */
  review(): void {
    if (this.#take) this.#wish.onKept(this.#take.id);
  }

  /** Back to the take that lies aside. */
  back(): void {
    const last = this.instead.at(-1);
    if (last !== undefined && !this.isRunning) this.#wish.onKept(last);
  }

  /** Saves the stopped take as a file. */
  async save(): Promise<void> {
    const take = this.#take;
    if (!take) return;
    const { exportDraft } = await import("../take/export");
    giveFile(await exportDraft(take.id), fileName(this.#host.name, Date.now()));
  }

  /** Makes a take of a video file, instead of recording one. Never rejects: `booth` tells. */
  async takeFile(file: File, wish: FileWish = {}): Promise<void> {
    if (this.isRunning || this.booth.kind === "stopped" || this.booth.kind === "importing") return;
    this.#countdown.abort();
    this.#closeCapture();
    const id = await this.#files.take(file, wish);
    if (this.#isClosed) return;
    if (id !== null) this.#keep(id);
    else if (this.#isImporting) await this.open(); // cancelled
  }

  /** Takes the refused file another way: its first minutes, or without its sound. */
  async takeFileAs(wish: FileWish): Promise<void> {
    if (this.#files.file) await this.takeFile(this.#files.file, wish);
  }

  cancelFile(): void {
    this.#files.cancel();
  }

  /** Leaves the booth. A take that runs is ended and kept. */
  close(): void {
    this.#isClosed = true;
    this.#countdown.abort();
    this.#files.cancel();
    this.#unwatchRoom();
    this.#rest();
    const take = this.#take;
    const isRunning = take !== null && ["starting", "recording", "ending"].includes(take.state.phase);
    if (!isRunning) return this.#closeCapture();
    void take
      .stop()
      .catch(() => undefined)
      .finally(() => this.#closeCapture());
  }

  /** A getter, since the booth changes behind the compiler's back while one waits. */
  get #isImporting(): boolean {
    return this.booth.kind === "importing";
  }

  #record(): void {
    const { feed } = this.devices;
    if (feed === null) return;
    feed.renew();
    this.#hearing = new Hearing(performance.now());
    this.#smallerSinceMs = this.#pausedBy = null;
    this.booth = { kind: "recording", keptMs: 0, storedMs: 0, notice: null, paused: null };
    const { acct, call } = this.#host;
    const take = Take.start(feed, { acct, ...(call && { call }), onChange: (state) => this.#hear(state) });
    this.#take = take;
    this.#host.adopt(take);
    this.#light.keep();
  }

  /** Also of takes that lie aside: they are no longer shown. */
  #hear(state: TakeState): void {
    if (this.#take?.state === state) this.#show(state);
  }

  #show(state: TakeState): void {
    const { phase, keptMs, storedMs } = state;
    if (phase === "starting" || phase === "recording") {
      const paused = state.isPaused ? (this.#pausedBy ?? "person") : null;
      this.booth = { kind: "recording", keptMs, storedMs, notice: this.#notice(state), paused };
    } else if (phase === "ending") {
      this.booth = { kind: "finishing", keptMs };
    } else if (phase === "kept") {
      this.#showKept(state);
    } else if (phase === "failed") {
      this.#showFailed(state);
    }
  }

  #showKept(state: TakeState): void {
    this.#rest();
    const isNews = this.booth.kind === "finishing" || this.booth.kind === "recording";
    const why = endOf(state.end);
    if (why !== null) this.booth = { kind: "stopped", why, keptMs: state.keptMs, storedMs: state.storedMs };
    if (!isNews || this.#take === null) return;
    if (why === null && !this.#isClosed) this.#keep(this.#take.id);
    else this.#settle();
  }

  /** A new take is whole: what it replaces goes, and the browser is asked not to clear it. */
  #keep(id: string): void {
    this.#settle();
    this.#wish.onKept(id);
  }

  #settle(): void {
    void askToPersist();
    for (const id of this.instead) this.#host.drop(id);
    this.instead = [];
    this.#host.refresh();
  }

  /** What was kept until then is offered as an interrupted take. */
  #showFailed({ code, keptMs, storedMs }: TakeState): void {
    this.#rest();
    this.#host.refresh();
    if (code === "no-encoder") this.booth = { kind: "unsupported" };
    else if (keptMs === 0) this.booth = { kind: "busy" };
    else this.booth = { kind: "stopped", why: code === "device-full" ? code : "encoder", keptMs, storedMs };
  }

  #showFile(booth: TakenFile): void {
    if (!this.#isClosed) this.booth = booth;
  }

  #notice({ trouble, mediaMs, isBehind }: TakeState): RecordingNotice | null {
    const [held, nowMs] = [heldBy(trouble), performance.now()];
    if (this.roomS !== null && this.roomS * SECOND_MS < 180_000 - mediaMs) return "device-nearly-full";
    if (held !== null) return held;
    if (this.#host.isOffline) return "offline";
    if (this.level === null || this.#hearing.isSilent(nowMs)) return "silent";
    if (isBehind) this.#smallerSinceMs ??= nowMs;
    return this.#smallerSinceMs !== null && nowMs - this.#smallerSinceMs < SMALLER_SAID_MS ? "smaller" : null;
  }

  #noteLevel({ rms, peak }: Level): void {
    const nowMs = performance.now();
    this.#hearing.hear(peak, nowMs);
    this.isUnheard = this.#hearing.isSilent(nowMs);
    this.level = this.devices.microphone === null ? null : Math.min(1, Math.sqrt(rms) * 1.5);
  }

  /** A take goes on with its last picture; without one there is nothing to begin with. */
  #see(isSeeing: boolean): void {
    if (isSeeing && this.booth.kind === "none") this.booth = { kind: "ready" };
    if (isSeeing || !["ready", "counting", "beep"].includes(this.booth.kind)) return;
    this.#countdown.abort();
    this.booth = { kind: "none" };
  }

  /** No take runs: the screen may go dark again. */
  #rest(): void {
    this.#pausedBy = null;
    this.#light.release();
  }

  #closeCapture(): void {
    this.devices.close();
    this.level = null;
    this.isUnheard = false;
  }
}

/** Where neither of the two is, nothing can be recorded. */
function canEncode(): boolean {
  return "VideoEncoder" in globalThis || "MediaRecorder" in globalThis;
}

/** Why it ended by itself; null when the person ended it. */
function endOf(end: TakeState["end"]): RecordingEnd | null {
  if (end === null || end === "limit") return end;
  return end === "device-full" || end === "sink" ? "device-full" : "encoder";
}
