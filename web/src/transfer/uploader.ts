/** Brings a growing spool to the server through network cuts, restarts of the server and its passing refusals. */

import { Bell } from "./bell";
import type { Fetch } from "./http";
import { Problem } from "./problem";
import { Patience, WAITING, type Waiting } from "./retry";
import { appendUpload, askUpload, FIRST_BYTES, isGone, PIECE_BYTES, type UploadHandle, type UploadPlace } from "./tus";

/** What is read from: the spool's bytes, the same at every reading. */
export type SpoolSource = { read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> };

/**
 * - `moving`: bytes go up, or there are none to send yet.
 * - `waiting`: passing trouble; it goes on by itself.
 * - `stored`: the server has all of it and knows the length.
 * - `gone`: the server has this upload no more; the same bytes need a new one.
 * - `refused`: only a person can help.
 */
export type UploadState =
  | { kind: "moving" | "stored"; offset: number }
  | { kind: "waiting" | "gone" | "refused"; offset: number; problem: Problem };

export type UploaderOptions = {
  upload: UploadHandle;
  source: SpoolSource;
  /** True for an upload that was written to before: its offset is asked for first. */
  resumed?: boolean;
  onState?: (state: UploadState) => void;
  fetch?: Fetch;
  waiting?: Waiting;
  now?: () => number;
};

const QUICK_MS = 1000;
const SLOW_MS = 4000;
const MOST_CURES = 5;

/** One upload's pump; `offer` what the spool has, `finish` with its length, `close` to stop. */
export class Uploader {
  readonly upload: UploadHandle;
  readonly #source: SpoolSource;
  readonly #fetch: Fetch;
  readonly #onState: (state: UploadState) => void;
  readonly #now: () => number;
  readonly #patience: Patience;
  readonly #stop = new AbortController();
  readonly #ended: Promise<UploadState>;
  #place: UploadPlace;
  #isSure: boolean;
  #available = 0;
  #length: number | null = null;
  #pieceBytes = FIRST_BYTES;
  #cures = 0;
  readonly #bell = new Bell();

  constructor(options: UploaderOptions) {
    this.upload = options.upload;
    this.#source = options.source;
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
    this.#onState = options.onState ?? (() => undefined);
    this.#now = options.now ?? (() => performance.now());
    this.#patience = new Patience(options.waiting ?? WAITING);
    this.#place = { offset: 0, sent: options.resumed === true ? Number.MAX_SAFE_INTEGER : 0 };
    this.#isSure = options.resumed !== true;
    this.#ended = this.#run();
  }

  /** Acknowledged by the server. */
  get offset(): number {
    return this.#place.offset;
  }

  /** Settles with `stored`, `gone` or `refused`; rejects only when closed. */
  get ended(): Promise<UploadState> {
    return this.#ended;
  }

  /** Tells how much of the spool is on the disk and may be read. */
  offer(available: number): void {
    this.#available = Math.max(this.#available, available);
    this.#bell.ring();
  }

  /** Tells that the spool is complete, and how long it is. */
  finish(length: number): void {
    this.#length = length;
    this.offer(length);
  }

  /** Stops at once; what the server has stays there. */
  close(): void {
    this.#stop.abort(new DOMException("closed", "AbortError"));
    this.#ended.catch(() => undefined);
    this.#bell.ring();
  }

  async #run(): Promise<UploadState> {
    for (;;) {
      this.#stop.signal.throwIfAborted();
      try {
        const end = await this.#step();
        if (end !== null) return this.#told(end);
      } catch (error) {
        const end = await this.#troubled(error);
        if (end !== null) return this.#told(end);
      }
    }
  }

  async #step(): Promise<UploadState | null> {
    if (!this.#isSure) await this.#ask();
    const ready = Math.max(0, this.#available - this.#place.offset);
    // No more is waited for than one chunk: what lies here at the end of a recording is what its sender waits for.
    if (this.#length === null && ready < FIRST_BYTES) {
      await this.#bell.rung;
      return null;
    }
    const length = Math.min(this.#pieceBytes, ready);
    const piece = length === 0 ? new Uint8Array(0) : await this.#source.read(this.#place.offset, length);
    // The length may become known while the piece is on its way: then the server does not know it yet.
    const told = this.#length;
    await this.#send(piece, told);
    const isWhole = told !== null && this.#place.offset === told;
    return isWhole ? { kind: "stored", offset: this.#place.offset } : null;
  }

  async #send(piece: Uint8Array<ArrayBuffer>, length: number | null): Promise<void> {
    const before = this.#place;
    const startedMs = this.#now();
    this.#isSure = false;
    this.#place = { offset: before.offset, sent: Math.max(before.sent, before.offset + piece.byteLength) };
    this.#place = await appendUpload(this.#fetch, this.upload, before, piece, length, this.#stop.signal);
    this.#isSure = true;
    this.#suit(this.#now() - startedMs, piece.byteLength);
    if (this.#place.offset > before.offset) this.#progressed();
  }

  async #ask(): Promise<void> {
    const before = this.#place.offset;
    const place = await askUpload(this.#fetch, this.upload, this.#place, this.#stop.signal);
    if (place.offset > this.#available) throw impossible();
    this.#place = place;
    this.#isSure = true;
    if (place.offset > before) this.#progressed();
  }

  /** Pieces grow while the line takes them within a second, and shrink when one lasts long: little is lost by a cut. */
  #suit(tookMs: number, bytes: number): void {
    if (tookMs < QUICK_MS && bytes >= this.#pieceBytes) this.#pieceBytes = Math.min(PIECE_BYTES, this.#pieceBytes * 2);
    if (tookMs > SLOW_MS) this.#pieceBytes = Math.max(FIRST_BYTES, this.#pieceBytes / 2);
  }

  #progressed(): void {
    this.#cures = 0;
    this.#patience.renew();
    this.#told({ kind: "moving", offset: this.#place.offset });
  }

  async #troubled(error: unknown): Promise<UploadState | null> {
    this.#stop.signal.throwIfAborted();
    if (!(error instanceof Problem)) throw error;
    const offset = this.#place.offset;
    if (isGone(error)) return { kind: "gone", offset, problem: error };
    if (!error.isPassing && !this.#isCurable(error)) return { kind: "refused", offset, problem: error };
    this.#isSure = false;
    this.#pieceBytes = FIRST_BYTES;
    this.#told({ kind: "waiting", offset, problem: error });
    await this.#patience.wait(this.#stop.signal, error.retryAfterS);
    return null;
  }

  /** Asking for the right offset cures a wrong one, but not for ever. */
  #isCurable(problem: Problem): boolean {
    this.#cures += 1;
    return CURED_BY_ASKING.has(problem.code) && this.#cures <= MOST_CURES;
  }

  #told(state: UploadState): UploadState {
    this.#onState(state);
    return state;
  }
}

const CURED_BY_ASKING: ReadonlySet<string> = new Set([
  "offset-mismatch",
  "bad-length",
  "answer-malformed",
  "upload-finished",
]);

function impossible(): Problem {
  return new Problem("The server claims bytes that were never sent", { code: "upload-offset-impossible", status: 0 });
}
