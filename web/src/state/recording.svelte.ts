/** The booth: camera and microphone open, countdown, beep, a take that is kept second by second, its end. */

import { CaptureRefused, openCapture, type Capture, type Level } from "../media/capture";
import { Take, type TakeState } from "../take/take";
import { DraftsState } from "./drafts.svelte";
import { fileName, giveFile } from "./downloads";
import type { House } from "./house.svelte";
import { beep } from "./recording-beep";
import { Hearing, watchRoom } from "./recording-room";
import { heldBy } from "./sending.svelte";

export type RecordingNotice = "offline" | "silent" | "device-nearly-full" | "server-full" | "signed-out";
export type RecordingEnd = "limit" | "camera-lost" | "device-full" | "encoder";
export type Booth =
  | { kind: "asking" | "denied" | "none" | "busy" | "unsupported" | "ready" | "beep" }
  | { kind: "counting"; seconds: number }
  | { kind: "recording"; keptMs: number; storedMs: number; notice: RecordingNotice | null }
  | { kind: "finishing"; keptMs: number }
  | { kind: "stopped"; why: RecordingEnd; keptMs: number; storedMs: number };

export interface RecordingWish {
  /** Acct of whom it answers. */
  to: string | null;
  /** The person stopped it, and it is kept. */
  onKept: (id: string) => void;
}

const COUNT_FROM = 3;
const SECOND_MS = 1000;
const WISH = { width: 1280, height: 720 };

export class RecordingState {
  booth: Booth = $state.raw({ kind: "asking" });
  stream: MediaStream | null = $state.raw(null);
  /** Loudness, 0 to 1; null without a microphone. */
  level: number | null = $state(null);
  /** Seconds that still fit here, when they are few. */
  roomS: number | null = $state(null);
  readonly #house: House;
  readonly #wish: RecordingWish;
  readonly #drafts: DraftsState;
  #capture: Capture | null = null;
  #take: Take | null = null;
  #isCameraLost = false;
  #isClosed = false;
  #countdown = new AbortController();
  #hearing = new Hearing(0);
  #unwatchRoom: () => void = () => undefined;
  #wakeLock: Promise<WakeLockSentinel | null> = Promise.resolve(null);

  constructor(house: House, wish: RecordingWish) {
    this.#house = house;
    this.#wish = wish;
    this.#drafts = house.part(DraftsState);
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
      if (!("VideoEncoder" in globalThis)) throw new CaptureRefused("insecure");
      const capture = await openCapture(WISH);
      if (this.#isClosed) return capture.close();
      this.#takeCapture(capture);
    } catch (error) {
      const code = error instanceof CaptureRefused ? error.code : "busy";
      this.booth = { kind: code === "insecure" ? "unsupported" : code };
    }
  }

  /** Counts down, beeps, records. */
  async start(): Promise<void> {
    if (this.booth.kind !== "ready") return;
    this.#countdown = new AbortController();
    const { signal } = this.#countdown;
    for (let seconds = COUNT_FROM; seconds > 0; seconds -= 1) {
      this.booth = { kind: "counting", seconds };
      await new Promise((resolve) => setTimeout(resolve, SECOND_MS));
      if (signal.aborted) return;
    }
    this.booth = { kind: "beep" };
    await beep(this.#house.settings.choices.beep);
    if (!signal.aborted) this.#record();
  }

  /** Ends the countdown. */
  cancel(): void {
    this.#countdown.abort();
    if (this.booth.kind === "counting") this.booth = { kind: "ready" };
  }

  /** Ends the take; `onKept` is told when all of it is on this device. */
  stop(): void {
    this.#take?.stop().catch(() => undefined); // the state tells
  }

  /** Puts the stopped take away and starts over. */
  async again(): Promise<void> {
    const take = this.#take;
    this.#take = null;
    if (take) await this.#drafts.discard(take.id).catch(() => undefined); // offered again later
    if (this.#isCameraLost || this.#capture === null) return this.open();
    this.#capture.renew();
    this.booth = { kind: "ready" };
  }

  /** On to the review of what was stopped. */
  review(): void {
    if (this.#take) this.#wish.onKept(this.#take.id);
  }

  /** Saves the stopped take as a file. */
  async save(): Promise<void> {
    const take = this.#take;
    if (!take) return;
    const { exportDraft } = await import("../take/export");
    giveFile(await exportDraft(take.id), fileName(this.#house.account.name, Date.now()));
  }

  /** Leaves the booth. A take that runs is ended and kept. */
  close(): void {
    this.#isClosed = true;
    this.#countdown.abort();
    this.#rest();
    const take = this.#take;
    const isRunning = take !== null && ["starting", "recording", "ending"].includes(take.state.phase);
    if (!isRunning) return this.#closeCapture();
    void take
      .stop()
      .catch(() => undefined)
      .finally(() => this.#closeCapture());
  }

  #takeCapture(capture: Capture): void {
    this.#capture = capture;
    this.#isCameraLost = false;
    this.#hearing = new Hearing(performance.now());
    capture.onLevel = (level) => this.#noteLevel(level);
    capture.onNews = () => this.#noteDevices(capture);
    this.stream = capture.stream;
    this.level = capture.hasMicrophone ? 0 : null;
    this.booth = { kind: "ready" };
  }

  #record(): void {
    const capture = this.#capture;
    if (capture === null) return;
    capture.renew();
    this.#hearing = new Hearing(performance.now());
    this.booth = { kind: "recording", keptMs: 0, storedMs: 0, notice: null };
    const { acct } = this.#house.account;
    // The state comes with each change, also before `start` has returned.
    const take = Take.start(capture, { acct, onChange: (state) => this.#show(state) });
    this.#take = take;
    this.#drafts.adopt(take, this.#wish.to);
    this.#unwatchRoom = watchRoom((seconds) => (this.roomS = seconds));
    this.#wakeLock = navigator.wakeLock?.request("screen").catch(() => null) ?? Promise.resolve(null);
  }

  #show(state: TakeState): void {
    const { phase, keptMs, storedMs } = state;
    if (this.#take === null) return;
    if (phase === "starting" || phase === "recording") {
      this.booth = { kind: "recording", keptMs, storedMs, notice: this.#notice(state) };
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
    const why = endOf(state.end);
    const isNews = this.booth.kind === "finishing" || this.booth.kind === "recording";
    if (isNews) void this.#drafts.refresh();
    if (why !== null) this.booth = { kind: "stopped", why, keptMs: state.keptMs, storedMs: state.storedMs };
    else if (isNews && !this.#isClosed) this.review();
  }

  /** What was kept until then is offered as an interrupted take. */
  #showFailed({ code, keptMs, storedMs }: TakeState): void {
    this.#rest();
    void this.#drafts.refresh();
    if (code === "no-encoder") this.booth = { kind: "unsupported" };
    else if (keptMs === 0) this.booth = { kind: "busy" };
    else this.booth = { kind: "stopped", why: code === "device-full" ? code : "encoder", keptMs, storedMs };
  }

  #notice({ trouble, mediaMs }: TakeState): RecordingNotice | null {
    const held = heldBy(trouble);
    if (this.roomS !== null && this.roomS * SECOND_MS < 180_000 - mediaMs) return "device-nearly-full";
    if (held !== null) return held;
    if (this.#house.live.isOffline) return "offline";
    return this.level === null || this.#hearing.isSilent(performance.now()) ? "silent" : null;
  }

  #noteLevel({ rms, peak }: Level): void {
    this.#hearing.hear(peak, performance.now());
    this.level = Math.min(1, Math.sqrt(rms) * 1.5);
  }

  /** Cameras and microphones come and go; a take goes on. */
  #noteDevices(capture: Capture): void {
    this.stream = capture.stream;
    this.#isCameraLost = capture.camera === null;
    if (!capture.hasMicrophone) this.level = null;
  }

  /** No take runs: the screen may go dark again. */
  #rest(): void {
    this.#unwatchRoom();
    void this.#wakeLock.then((lock) => lock?.release()).catch(() => undefined);
    this.#wakeLock = Promise.resolve(null);
  }

  #closeCapture(): void {
    this.#capture?.close();
    this.#capture = null;
    this.stream = null;
    this.level = null;
  }
}

/** Why it ended by itself; null when the person ended it. */
function endOf(end: TakeState["end"]): RecordingEnd | null {
  if (end === null || end === "limit") return end;
  return end === "device-full" || end === "sink" ? "device-full" : "encoder";
}
