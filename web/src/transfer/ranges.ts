/**
 * `video.age` from the server as bytes at an offset, for `openVideo`. Reads in sequence share one streaming answer, so that
 * playing needs one request; a read elsewhere is a small range of its own. What breaks is taken up again where it broke.
 * Nothing here is trusted: the reader verifies each part.
 */

import { broken, within, type Fetch } from "./http";
import { malformed, Problem, problemOf } from "./problem";
import { Patience, WAITING, type Waiting } from "./retry";

export type RangedVideo = {
  readonly size: number;
  /** Shorter than asked for only where the server's file ends. Rejects with a Problem. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): void;
};

export type RangesOptions = {
  fetch?: Fetch;
  waiting?: Waiting;
  onTrouble?: (problem: Problem) => void;
  /** Bytes come again after trouble. */
  onRecovered?: () => void;
  signal?: AbortSignal;
};

const ANSWER_MS = 30_000;
const SILENCE_MS = 30_000;

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
  readonly #waiting: Waiting;
  readonly #onTrouble: (problem: Problem) => void;
  readonly #onRecovered: () => void;
  #isTroubled = false;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #turn: Promise<unknown> = Promise.resolve();
  #stream: Answering | null = null;
  #lastEnd = 0;

  constructor(url: string, size: number, options: RangesOptions) {
    this.#url = url;
    this.size = size;
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
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
        if (own?.position !== from || own.isBroken) own = await this.#open(from, end);
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
        const taken = await (await answeringAt(offset + done)).take(filled.subarray(done));
        if (taken === 0) return filled.slice(0, done);
        done += taken;
        patience.renew();
        if (this.#isTroubled) this.#onRecovered();
        this.#isTroubled = false;
      } catch (error) {
        if (isBeyondTheEnd(error)) return filled.slice(0, done);
        if (!(error instanceof Problem) || !error.isPassing) throw error;
        this.#isTroubled = true;
        this.#onTrouble(error);
        await patience.wait(this.#signal, error.retryAfterS);
      }
    }
    return filled;
  }

  async #following(from: number): Promise<Answering> {
    if (this.#stream === null || this.#stream.isBroken || this.#stream.position !== from) {
      this.#stream?.close();
      this.#stream = await this.#open(from, null);
    }
    return this.#stream;
  }

  async #open(from: number, end: number | null): Promise<Answering> {
    const range = `bytes=${from}-${end === null ? this.size - 1 : end - 1}`;
    const stop = new AbortController();
    const signal = AbortSignal.any([this.#signal, stop.signal]);
    const limit = setTimeout(() => stop.abort(new DOMException("no answer in time", "TimeoutError")), ANSWER_MS);
    try {
      const init: RequestInit = {
        headers: { range },
        credentials: "same-origin",
        redirect: "error",
        cache: "no-store",
        signal,
      };
      const response = await this.#fetch(this.#url, { ...init, method: "GET", referrerPolicy: "no-referrer" });
      if (!response.ok) throw await problemOf(response);
      return new Answering(from, bodyFrom(from, response), signal, stop);
    } catch (error) {
      throw error instanceof Problem ? error : broken(error, signal);
    } finally {
      clearTimeout(limit);
    }
  }
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

/** One answer being read; what came and was not asked for yet is kept. */
class Answering {
  position: number;
  isBroken = false;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #signal: AbortSignal;
  readonly #stop: AbortController;
  #kept: Uint8Array = new Uint8Array(0);

  constructor(position: number, body: ReadableStream<Uint8Array>, signal: AbortSignal, stop: AbortController) {
    this.position = position;
    this.#reader = body.getReader();
    this.#signal = signal;
    this.#stop = stop;
  }

  /** Fills `into` as far as one reading gives; 0 at the end of the file. */
  async take(into: Uint8Array): Promise<number> {
    if (this.#kept.length === 0) this.#kept = await this.#next();
    const taken = this.#kept.subarray(0, into.length);
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
        if (done) return new Uint8Array(0);
        if (value.length > 0) return value;
      }
    } catch (error) {
      const reason = broken(error, silence);
      this.isBroken = true;
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
