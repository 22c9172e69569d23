import { FragmentReader, type Head, type Unit } from "./fragments.ts";
import { Loaded } from "./loaded.ts";
import { faultOf, type Plaintext } from "./plaintext.ts";
import { endPrefix } from "./repair.ts";
import { findFragment } from "./search.ts";
import { mediaSourceType, PlayBuffer } from "./source-buffer.ts";

export type { Plaintext } from "./plaintext.ts";

/**
 * `playing`: it can be watched, and all so far is what the sender signed. `complete`: all of it is here. `waiting`: the line is gone,
 * it is tried again. `cut-off` and `damaged` end at `atS`; what comes before can be watched. `unplayable`: not by this browser.
 * `failed`: what keeps it from being read will not pass.
 */
export type PlayerState =
  | { kind: "opening" | "playing" | "complete" | "waiting" | "unplayable" }
  | { kind: "cut-off" | "damaged"; atS: number }
  | { kind: "failed"; reason: unknown };

export interface Playable {
  ms: number;
  /** MIME type, possibly with codecs. */
  type: string;
  /** Where to begin. */
  startS?: number;
  /** Whether it is worth another try after a failure of reading; without this, it always is. */
  isPassing?: (reason: unknown) => boolean;
}

const SOON_S = 4;
/** Sound and picture of what was reached last need not end together. */
const EDGE_S = 0.5;
const RETRY_MS = [1000, 2000, 4000, 8000];
export const RATES = { least: 0.5, most: 2 };

/** Plays a video while it is still being fetched, and from places that have not been fetched yet. */
export class MessagePlayer {
  readonly #element: HTMLVideoElement;
  readonly #video: Plaintext;
  readonly #playable: Playable;
  readonly #loaded = new Loaded();
  readonly #closing = new AbortController();
  #buffer: PlayBuffer | null = null;
  #head: Head | null = null;
  /** Each run of fetching has a number; an older one stops as soon as it sees a newer. */
  #run = 0;
  #reachedS = 0;
  #retries = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #blobUrl: string | null = null;
  /** Where it was when it had to become one file. */
  #goOnS: number | null = null;
  /** Whether the one who watches wants it to play. Not the same as `paused`: a browser pauses what it cannot decode, and a new source. */
  #isWanted: boolean;
  #state: PlayerState = { kind: "opening" };
  onState: ((state: PlayerState) => void) | null = null;

  constructor(element: HTMLVideoElement, video: Plaintext, playable: Playable) {
    this.#element = element;
    this.#video = video;
    this.#playable = playable;
    this.#isWanted = !element.paused;
    const { signal } = this.#closing;
    element.addEventListener("seeking", () => this.#follow(), { signal });
    // What was here may be gone: a managed source is emptied by the browser as it likes.
    element.addEventListener("waiting", () => this.#isUnderWay() && !element.seeking && this.#follow(), { signal });
    element.addEventListener("error", () => this.#fallBack(), { signal });
    element.addEventListener("play", () => (this.#isWanted = true), { signal });
    element.addEventListener("pause", () => (this.#isWanted &&= element.error !== null), { signal });
    addEventListener("online", () => this.retry(), { signal });
  }

  get state(): PlayerState {
    return this.#state;
  }

  /** As the sender said it, or as far as it goes. */
  get durationS(): number {
    return "atS" in this.#state ? this.#state.atS : this.#playable.ms / 1000;
  }

  /** Begins to fetch. Playing is the element's own matter: `play`, `pause`. */
  async open(): Promise<void> {
    const Type = mediaSourceType();
    if (!Type) return this.#playWhole();
    this.#buffer = await PlayBuffer.open(this.#element, Type);
    await this.#fetch(0);
  }

  seek(timeS: number): void {
    this.#element.currentTime = Math.max(0, Math.min(timeS, this.durationS));
  }

  set rate(rate: number) {
    this.#element.playbackRate = Math.max(RATES.least, Math.min(rate, RATES.most));
  }

  /** Tries at once what is to be tried again later. */
  retry(): void {
    if (this.#state.kind !== "waiting") return;
    clearTimeout(this.#retryTimer);
    if (!this.#buffer) void this.#playWhole();
    else if (this.#head) void this.#jump(this.#element.currentTime);
    else void this.#fetch(0);
  }

  close(): void {
    this.#run += 1;
    this.onState = null;
    this.#closing.abort();
    clearTimeout(this.#retryTimer);
    this.#buffer?.close();
    this.#dropBlob();
  }

  #become(state: PlayerState): void {
    this.#state = state;
    this.onState?.(state);
  }

  #isOver(): boolean {
    return this.#closing.signal.aborted || !["opening", "playing", "waiting"].includes(this.#state.kind);
  }

  #isUnderWay(): boolean {
    return this.#state.kind === "playing" || this.#state.kind === "complete";
  }

  /** Fetches from a file offset on, then what is still missing elsewhere. */
  async #fetch(offset: number): Promise<void> {
    const run = ++this.#run;
    try {
      for (let next: number | null = offset; next !== null && run === this.#run;) next = await this.#stretch(run, next);
    } catch (error) {
      if (run === this.#run && !this.#closing.signal.aborted) this.#fail(error);
    }
  }

  /** Reads on until the end or something already loaded; returns where to go on, null when all is there or another run began. */
  async #stretch(run: number, offset: number): Promise<number | null> {
    const units = new FragmentReader(this.#head?.movie ?? null, this.#head ? offset : 0);
    const reader = this.#video.stream(this.#head ? offset : 0).getReader();
    let after = offset;
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (run !== this.#run) return null;
        if (done) return this.#reachEnd(after);
        for (const unit of units.push(value)) {
          if (!(await this.#give(unit, after)) || run !== this.#run) return null;
          if (unit.kind !== "media") after = unit.end;
          const next = this.#loaded.follow(after);
          if (next !== after) return this.#loaded.isWhole ? this.#reachEnd(this.#loaded.tail ?? next) : next;
        }
      }
    } finally {
      reader.cancel().catch(() => undefined);
    }
  }

  /** False when this has to be played in another way. */
  async #give(unit: Unit, after: number): Promise<boolean> {
    if (unit.kind === "head") return this.#begin(unit);
    if (unit.kind === "media") return true; // of a film that is played whole
    await this.#buffer?.append(unit.bytes);
    this.#loaded.add(after, unit);
    this.#reachedS = unit.endS;
    this.#retries = 0;
    if (this.#state.kind === "opening" || this.#state.kind === "waiting") this.#start();
    return true;
  }

  async #begin(head: Head): Promise<boolean> {
    const Type = mediaSourceType();
    const type = [head.movie.type, this.#playable.type].find((candidate) => Type?.isTypeSupported(candidate));
    if (!head.movie.isFragmented || !type) {
      this.#fallBack();
      return false;
    }
    await this.#buffer?.begin(type, head.bytes, this.#playable.ms / 1000);
    this.#head = head;
    this.#loaded.first = head.end;
    const { startS = 0 } = this.#playable;
    if (startS <= 0 || this.#element.currentTime > 0) return true;
    this.#element.currentTime = startS;
    if (startS < SOON_S) return true;
    void this.#jump(startS);
    return false;
  }

  #start(): void {
    const startS = this.#buffer?.startS ?? 0;
    if (startS > 0 && startS < 0.5 && this.#element.currentTime === 0) this.#element.currentTime = startS;
    this.#become({ kind: "playing" });
  }

  #reachEnd(tail: number): number | null {
    if (!this.#head) throw Object.assign(new Error("no video"), { code: "video-damaged" });
    this.#loaded.tail = tail;
    this.#buffer?.end();
    if (!this.#loaded.isWhole) {
      const next = this.#loaded.follow(this.#loaded.first);
      return next === tail ? null : next;
    }
    this.#become({ kind: "complete" });
    return null;
  }

  /** The one who watches went somewhere: fetch from there, unless it is here or about to be. */
  #follow(): void {
    const timeS = this.#element.currentTime;
    if (!this.#head || !this.#buffer || this.#buffer.has(timeS)) return;
    const aheadS = timeS - this.#reachedS;
    const isSoon = aheadS >= -EDGE_S && aheadS < SOON_S && this.#state.kind === "playing";
    if (!isSoon && (!this.#isOver() || this.#state.kind === "complete")) void this.#jump(timeS);
  }

  async #jump(timeS: number): Promise<void> {
    const run = ++this.#run;
    const head = this.#head;
    if (!head) return;
    this.#loaded.keep((at) => this.#buffer?.has(at) ?? false);
    const end = { offset: this.#loaded.tail ?? this.#video.plainSize, startS: this.#playable.ms / 1000 };
    const { low, high } = this.#loaded.around(timeS, end);
    try {
      const place = await findFragment(this.#video, head.movie, timeS, low, high);
      this.#reachedS = place.startS;
      if (run === this.#run) await this.#fetch(place.offset);
    } catch (error) {
      if (run === this.#run && !this.#closing.signal.aborted) this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    const fault = error instanceof RangeError ? "damaged" : faultOf(error);
    if (fault) return this.#endWith(fault);
    if (error instanceof TypeError || error instanceof DOMException) {
      // Not told apart from a lost line by its type alone: what the buffer refuses is tried as a whole file.
      if (this.#element.error) return this.#fallBack();
    }
    if (!(this.#playable.isPassing?.(error) ?? true)) return this.#become({ kind: "failed", reason: error });
    this.#become({ kind: "waiting" });
    const delay = RETRY_MS[Math.min(this.#retries++, RETRY_MS.length - 1)];
    this.#retryTimer = setTimeout(() => this.retry(), delay);
  }

  #endWith(kind: "cut-off" | "damaged"): void {
    const timeS = this.#element.currentTime;
    const isHere = this.#buffer?.has(timeS) ?? false;
    const atS = this.#buffer?.endFrom(isHere ? timeS : 0) ?? 0;
    this.#become({ kind, atS });
    this.#buffer?.end();
    if (!isHere && atS > 0) this.#element.currentTime = Math.max(0, atS - 0.05);
  }

  /** Told of by the buffer, by the element, or by both. */
  #fallBack(): void {
    if (this.#closing.signal.aborted) return;
    if (this.#blobUrl) this.#become({ kind: "unplayable" });
    else if (this.#buffer) void this.#playWhole();
  }

  /** The way that always works, but only when all is here: one file. */
  async #playWhole(): Promise<void> {
    const run = ++this.#run;
    this.#goOnS ??= this.#element.currentTime || (this.#playable.startS ?? 0);
    this.#buffer?.close();
    this.#buffer = null;
    const pieces: Uint8Array[] = [];
    let end: PlayerState = { kind: "complete" };
    try {
      const reader = this.#video.stream(0).getReader();
      for (let next = await reader.read(); !next.done && run === this.#run; next = await reader.read())
        pieces.push(next.value);
    } catch (error) {
      const fault = faultOf(error);
      if (!fault) return this.#fail(error);
      end = { kind: fault, atS: 0 };
    }
    if (run !== this.#run) return;
    const whole = new Blob(pieces as BlobPart[], { type: "video/mp4" });
    const film = end.kind === "complete" ? null : endPrefix(new Uint8Array(await whole.arrayBuffer()));
    if ("atS" in end && film) end = { ...end, atS: film.ms / 1000 };
    this.#blobUrl = URL.createObjectURL(film ? new Blob([film.data], { type: "video/mp4" }) : whole);
    this.#element.src = this.#blobUrl;
    this.#element.currentTime = this.#goOnS; // a new source begins anew
    if (this.#isWanted) this.#element.play().catch(() => undefined);
    this.#become(end);
  }

  #dropBlob(): void {
    if (!this.#blobUrl) return;
    this.#element.removeAttribute("src");
    this.#element.load();
    URL.revokeObjectURL(this.#blobUrl);
  }
}
