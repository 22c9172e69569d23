/**
 * [Note: One channel per browser] HTTP/1.1 gives an origin six connections, so of all tabs one holds the event stream: the one
 * that has the Web Lock. It tells the others by BroadcastChannel, with the id of the last event, so that whoever leads next
 * goes on from there. A tab that was hidden long lets the lead go; all of them hidden, nobody holds a connection.
 */

import { EventLines, type Hint } from "./events";
import { broken, type Fetch } from "./http";
import { Problem, problemOf } from "./problem";
import { Patience, WAITING, type Waiting } from "./retry";

export type { Hint } from "./events";

/** `live`: hints arrive. `refused`: the session has ended; it does not try again. `resting`: hidden, and nobody leads. */
export type LiveState = "connecting" | "live" | "offline" | "refused" | "resting";

/** `connected` comes with each new connection: what happened before may have been missed, so read the boxes. */
export type Happening = Hint | { kind: "connected" };

export type LiveOptions = {
  /** One channel for each account: tabs of another account do not hear. */
  acct: string;
  onHappening: (happening: Happening) => void;
  onState?: (state: LiveState) => void;
  fetch?: Fetch;
  waiting?: Waiting;
  locks?: Pick<LockManager, "request">;
  openChannel?: (name: string) => BroadcastChannel;
  visibility?: Visibility;
  restAfterMs?: number;
};

export type Visibility = { isHidden(): boolean; onChange(listener: () => void): () => void };

type Told =
  | { type: "happening"; happening: Happening; lastId: string }
  | { type: "state"; state: LiveState; lastId: string }
  | { type: "ask" };

const ADDRESS = "/api/v1/events";
/** Three missed heartbeats: the connection is dead. */
const SILENCE_MS = 60_000;
const ANSWER_MS = 15_000;
const REST_AFTER_MS = 5 * 60_000;

export class LiveChannel {
  readonly #options: LiveOptions;
  readonly #channel: BroadcastChannel;
  readonly #closed = new AbortController();
  readonly #visibility: Visibility;
  #unlisten: () => void = () => undefined;
  #lead: AbortController | null = null;
  #leads = false;
  #restTimer: ReturnType<typeof setTimeout> | undefined;
  #lastId = "";
  #state: LiveState = "connecting";

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#visibility = options.visibility ?? PAGE;
    this.#channel = (options.openChannel ?? ((name) => new BroadcastChannel(name)))(`restante-live ${options.acct}`);
    this.#channel.onmessage = (event: MessageEvent<Told>) => this.#hear(event.data);
    this.#unlisten = this.#visibility.onChange(() => this.#attend());
    this.#channel.postMessage({ type: "ask" } satisfies Told);
    this.#attend();
  }

  get state(): LiveState {
    return this.#state;
  }

  /** Whether this tab holds the connection. */
  get leads(): boolean {
    return this.#leads;
  }

  close(): void {
    this.#closed.abort(new DOMException("closed", "AbortError"));
    this.#unlisten();
    clearTimeout(this.#restTimer);
    this.#lead?.abort();
    this.#channel.close();
  }

  /** A visible tab wants the lead; one that stays hidden gives it up. */
  #attend(): void {
    clearTimeout(this.#restTimer);
    if (this.#closed.signal.aborted) return;
    if (!this.#visibility.isHidden()) {
      if (this.#lead === null) void this.#seekLead();
      return;
    }
    this.#restTimer = setTimeout(() => this.#rest(), this.#options.restAfterMs ?? REST_AFTER_MS);
  }

  #rest(): void {
    const led = this.#leads;
    this.#lead?.abort(new DOMException("resting", "AbortError"));
    this.#lead = null;
    if (led) this.#tellState("resting");
  }

  async #seekLead(): Promise<void> {
    const lead = new AbortController();
    this.#lead = lead;
    const signal = AbortSignal.any([lead.signal, this.#closed.signal]);
    try {
      await (this.#options.locks ?? navigator.locks).request(
        `restante-live ${this.#options.acct}`,
        { signal },
        async () => {
          this.#leads = true;
          await this.#follow(signal).finally(() => {
            this.#leads = false;
          });
        },
      );
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const patience = new Patience({ ...WAITING, baseMs: 500, ...this.#options.waiting });
    while (!signal.aborted) {
      try {
        await this.#connection(signal, patience);
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof Problem)) throw error;
        if (!error.isPassing) return await this.#refused(signal);
        this.#tellState("offline");
        await patience.wait(signal, error.retryAfterS).catch(() => undefined);
      }
    }
  }

  /** Keeps the lead, so that no other tab asks in vain, until the page closes the channel or rests. */
  async #refused(signal: AbortSignal): Promise<void> {
    this.#tellState("refused");
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  }

  async #connection(signal: AbortSignal, patience: Patience): Promise<void> {
    const stop = new AbortController();
    let limit = setTimeout(() => stop.abort(TIMED_OUT()), ANSWER_MS);
    try {
      const response = await this.#open(AbortSignal.any([signal, stop.signal]));
      const lines = new EventLines(this.#lastId);
      this.#tellState("live");
      this.#tell({ kind: "connected" });
      for await (const bytes of chunksOf(response)) {
        clearTimeout(limit);
        limit = setTimeout(() => stop.abort(TIMED_OUT()), SILENCE_MS);
        patience.renew();
        const hints = lines.take(bytes);
        this.#lastId = lines.lastId;
        for (const hint of hints) this.#tell(hint);
      }
    } catch (error) {
      throw error instanceof Problem ? error : broken(error, signal);
    } finally {
      clearTimeout(limit);
      stop.abort();
    }
    throw broken(new Error("the live channel ended"), undefined);
  }

  async #open(signal: AbortSignal): Promise<Response> {
    const headers = { accept: "text/event-stream", ...(this.#lastId === "" ? {} : { "last-event-id": this.#lastId }) };
    const send: Fetch = this.#options.fetch ?? ((input, init) => fetch(input, init));
    const init: RequestInit = {
      method: "GET",
      headers,
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
      signal,
    };
    const response = await send(ADDRESS, init);
    if (!response.ok || response.body === null) throw await problemOf(response);
    return response;
  }

  #hear(told: Told): void {
    if (told.type === "ask") {
      if (this.#leads)
        this.#channel.postMessage({ type: "state", state: this.#state, lastId: this.#lastId } satisfies Told);
      return;
    }
    if (this.#leads) return;
    this.#lastId = told.lastId;
    if (told.type === "state") this.#noteState(told.state);
    else this.#options.onHappening(told.happening);
  }

  #tell(happening: Happening): void {
    this.#channel.postMessage({ type: "happening", happening, lastId: this.#lastId } satisfies Told);
    this.#options.onHappening(happening);
  }

  #tellState(state: LiveState): void {
    if (!this.#closed.signal.aborted)
      this.#channel.postMessage({ type: "state", state, lastId: this.#lastId } satisfies Told);
    this.#noteState(state);
  }

  #noteState(state: LiveState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onState?.(state);
  }
}

async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  for (;;) {
    const next = await reader?.read();
    if (next === undefined || next.done) return;
    yield next.value;
  }
}

const TIMED_OUT = (): DOMException => new DOMException("silent", "TimeoutError");

const PAGE: Visibility = {
  isHidden: () => document.visibilityState === "hidden",
  onChange: (listener) => {
    document.addEventListener("visibilitychange", listener);
    return () => document.removeEventListener("visibilitychange", listener);
  },
};
