/**
 * `video.age` from the server as bytes at an offset, for `openVideo`. Reads in sequence share one streaming answer, so that
 * playing needs one request; a read elsewhere is a small range of its own. What breaks is taken up again where it broke.
 * Where the server says that the bytes lie in a bucket, they are read from there, piece after piece, and from the server
 * again where that leads nowhere.
 * Nothing here is trusted: the reader verifies each part.
 */

import { broken, within, type Fetch } from "./http";
import { arePieces, EITHER, endOf, Pieces, PIECES_BYTES, type Piece } from "./pieces";
import { malformed, offline, Problem, problemOf } from "./problem";
import { Patience, WAITING, type Waiting } from "./retry";
import { wholeOf } from "./whole";

export type RangedVideo = {
  readonly size: number;
  /** Shorter than asked for only where the server's file ends. Rejects with a Problem. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): void;
};

export type RangesOptions = {
  fetch?: Fetch;
  /** For addresses that are not the server's: nobody's credentials. */
  fetchElsewhere?: Fetch;
  waiting?: Waiting;
  onTrouble?: (problem: Problem) => void;
  /** Bytes come again after trouble. */
  onRecovered?: () => void;
  signal?: AbortSignal;
};

const ANSWER_MS = 30_000;
const SILENCE_MS = 30_000;
/** So often in a row a bucket may fail, before the server is asked for the bytes themselves. */
const FAILURES_ELSEWHERE = 2;

/** `size` is the signed details' word; nothing beyond it is asked for. */
export function rangedVideo(
  id: string,
  size: number,
  options: RangesOptions = {},
  room: "messages" | "links" | "operator/reports" = "messages",
): RangedVideo {
  return new Ranges(`/api/v1/${room}/${encodeURIComponent(id)}/video`, size, options);
}

class Ranges implements RangedVideo {
  readonly size: number;
  readonly #url: string;
  readonly #fetch: Fetch;
  readonly #fetchElsewhere: Fetch;
  readonly #waiting: Waiting;
  readonly #onTrouble: (problem: Problem) => void;
  readonly #onRecovered: () => void;
  #isTroubled = false;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #turn: Promise<unknown> = Promise.resolve();
  #stream: Answering | null = null;
  #lastEnd = 0;
  #pieces: Pieces | null = null;
  #failuresElsewhere = 0;

  constructor(url: string, size: number, options: RangesOptions) {
    this.#url = url;
    this.size = size;
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
    this.#fetchElsewhere = options.fetchElsewhere ?? ((input, init) => fetch(input, init));
    this.#waiting = options.waiting ?? WAITING;
    this.#onTrouble = options.onTrouble ?? (() => undefined);
    this.#onRecovered = options.onRecovered ?? (() => undefined);
    this.#signal =
      options.signal === undefined ? this.#stop.signal : AbortSignal.any([this.#stop.signal, options.signal]);
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const end = Math.min(this.size, offset + length);
    if (offset >= end) return new Uint8Array(0);
    const follows = offset === this.#lastEnd;
    this.#lastEnd = end;
    if (!follows) return this.#readApart(offset, end);
    const turn = this.#turn
      .catch(() => undefined)
      .then(() => this.#filled(offset, end, (from) => this.#following(from)));
    this.#turn = turn;
    return turn;
  }

  close(): void {
    this.#stop.abort(new DOMException("closed", "AbortError"));
    this.#stream?.close();
  }

  async #readApart(offset: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    let own: Answering | null = null;
    try {
      return await this.#filled(offset, end, async (from) => {
        if (own?.position !== from || own.isSpent) own = await this.#open(from, end);
        return own;
      });
    } finally {
      (own as Answering | null)?.close();
    }
  }

  async #filled(
    offset: number,
    end: number,
    answeringAt: (from: number) => Promise<Answering>,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const filled = new Uint8Array(end - offset);
    const patience = new Patience(this.#waiting);
    let done = 0;
    while (done < filled.length) {
      this.#signal.throwIfAborted();
      try {
        const answering = await answeringAt(offset + done);
        const taken = await answering.take(filled.subarray(done));
        if (taken === 0) return filled.slice(0, done);
        done += taken;
        patience.renew();
        if (answering.isElsewhere) this.#failuresElsewhere = 0;
        if (this.#isTroubled) this.#onRecovered();
        this.#isTroubled = false;
      } catch (error) {
        if (isBeyondTheEnd(error)) return filled.slice(0, done);
        if (!(error instanceof Problem) || !error.isPassing) throw error;
        this.#pieces = null;
        this.#isTroubled = true;
        this.#onTrouble(error);
        await patience.wait(this.#signal, error.retryAfterS);
      }
    }
    return filled;
  }

  async #following(from: number): Promise<Answering> {
    if (this.#stream === null || this.#stream.isSpent || this.#stream.position !== from) {
      this.#stream?.close();
      this.#stream = await this.#open(from, null);
    }
    return this.#stream;
  }

  async #open(from: number, end: number | null): Promise<Answering> {
    const known = this.#pieces?.at(from, performance.now());
    if (known) return this.#openPiece(known, from, end);
    const range = `bytes=${from}-${(end ?? this.size) - 1}`;
    const accept = this.#failuresElsewhere < FAILURES_ELSEWHERE ? EITHER : "application/octet-stream";
    const opened = await this.#ask(this.#fetch, this.#url, { headers: { accept, range }, credentials: "same-origin" });
    if (!opened.response.ok) throw await problemOf(opened.response);
    if (!arePieces(opened.response)) return new Answering(from, bodyFrom(from, opened.response), opened);
    this.#pieces = await piecesFrom(opened);
    const piece = this.#pieces.at(from, performance.now());
    if (!piece) throw malformed("other pieces than those asked for");
    return this.#openPiece(piece, from, end);
  }

  /** Counts as failed until bytes come. */
  async #openPiece(piece: Piece, from: number, end: number | null): Promise<Answering> {
    this.#failuresElsewhere += 1;
    const until = Math.min(endOf(piece), end ?? this.size);
    const range = `bytes=${from - piece.offset}-${until - piece.offset - 1}`;
    const opened = await this.#ask(this.#fetchElsewhere, piece.url, { headers: { range }, credentials: "omit" });
    const { status, body } = opened.response;
    if (status !== 206 || body === null) throw offline(null);
    return new Answering(from, body, opened, until);
  }

  async #ask(fetch: Fetch, url: string, init: RequestInit): Promise<Opened> {
    const stop = new AbortController();
    const signal = AbortSignal.any([this.#signal, stop.signal]);
    const limit = setTimeout(() => stop.abort(new DOMException("no answer in time", "TimeoutError")), ANSWER_MS);
    const closed = { redirect: "error", cache: "no-store", referrerPolicy: "no-referrer", method: "GET" } as const;
    try {
      return { response: await fetch(url, { ...init, ...closed, signal }), signal, stop };
    } catch (error) {
      throw broken(error, signal);
    } finally {
      clearTimeout(limit);
    }
  }
}

type Opened = { readonly response: Response; readonly signal: AbortSignal; readonly stop: AbortController };

async function piecesFrom({ response, signal }: Opened): Promise<Pieces> {
  const silence = within(SILENCE_MS, signal);
  const told = await raced(wholeOf(response, PIECES_BYTES), silence).catch((error: unknown) => {
    throw broken(error, silence);
  });
  if (told === null) throw malformed("pieces of a video");
  return Pieces.read(told, performance.now());
}

function bodyFrom(from: number, response: Response): ReadableStream<Uint8Array> {
  const range = response.headers.get("content-range") ?? "";
  const isRight = response.status === 206 ? range.startsWith(`bytes ${from}-`) : from === 0;
  if (!isRight || response.body === null) throw malformed("another range than the one asked for");
  return response.body;
}

function isBeyondTheEnd(error: unknown): boolean {
  return error instanceof Problem && error.code === "range-unsatisfiable";
}

/** One answer being read; what came and was not asked for yet is kept. One from elsewhere has bytes up to `until`. */
class Answering {
  position: number;
  readonly isElsewhere: boolean;
  #isBroken = false;
  readonly #until: number;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #signal: AbortSignal;
  readonly #stop: AbortController;
  #kept: Uint8Array = new Uint8Array(0);

  constructor(position: number, body: ReadableStream<Uint8Array>, { signal, stop }: Opened, until?: number) {
    this.position = position;
    this.isElsewhere = until !== undefined;
    this.#until = until ?? Infinity;
    this.#reader = body.getReader();
    this.#signal = signal;
    this.#stop = stop;
  }

  /** Nothing more can be taken from it. */
  get isSpent(): boolean {
    return this.#isBroken || this.position === this.#until;
  }

  /** Fills `into` as far as one reading gives; 0 at the end of the file. */
  async take(into: Uint8Array): Promise<number> {
    if (this.#kept.length === 0) this.#kept = await this.#next();
    const taken = this.#kept.subarray(0, Math.min(into.length, this.#until - this.position));
    into.set(taken);
    this.#kept = this.#kept.subarray(taken.length);
    this.position += taken.length;
    return taken.length;
  }

  close(): void {
    this.#stop.abort(new DOMException("closed", "AbortError"));
    this.#reader.cancel().catch(() => undefined);
  }

  async #next(): Promise<Uint8Array> {
    const silence = within(SILENCE_MS, this.#signal);
    try {
      for (;;) {
        const { done, value } = await raced(this.#reader.read(), silence);
        if (done && this.isElsewhere) throw offline(null);
        if (done) return new Uint8Array(0);
        if (value.length > 0) return value;
      }
    } catch (error) {
      const reason = error instanceof Problem ? error : broken(error, silence);
      this.#isBroken = true;
      this.close();
      throw reason;
    }
  }
}

async function raced<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
