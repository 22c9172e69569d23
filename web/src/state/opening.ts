/** Waits until sending is open to whoever is signed in: on the day that the server names, or when somebody opened it. */

import type { Api } from "../transfer/http";

/** A day can be brought forward, and an invite used in another window. */
const ASK_MS = 5 * 60_000;

export class Opening {
  readonly #api: Api;
  readonly #onOpen: () => void;
  readonly #askMs: number;
  readonly #closed = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param askMs so often at least the server is asked. */
  constructor(api: Api, onOpen: () => void, askMs = ASK_MS) {
    this.#api = api;
    this.#onOpen = onOpen;
    this.#askMs = askMs;
    const back = (): void => {
      if (this.#timer !== undefined && document.visibilityState === "visible") void this.#ask();
    };
    document.addEventListener("visibilitychange", back, { signal: this.#closed.signal });
  }

  /** Something waits for it. */
  await(opensAt: number | null = null): void {
    if (this.#closed.signal.aborted) return;
    clearTimeout(this.#timer);
    const dueMs = opensAt === null ? Infinity : Math.max(0, opensAt - Date.now());
    this.#timer = setTimeout(() => void this.#ask(), Math.min(this.#askMs, dueMs));
  }

  close(): void {
    this.#closed.abort();
    clearTimeout(this.#timer);
  }

  /** Never rejects: what is not answered is asked again. */
  async #ask(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const opens = await this.#api.get("/api/v1/availability").catch(() => null);
    if (this.#closed.signal.aborted) return;
    if (opens?.allowed === true) return this.#onOpen();
    // Past its time and not open: the server's clock is behind this one.
    const opensAt = opens?.opens_at ?? null;
    this.await(opensAt !== null && opensAt > Date.now() ? opensAt : null);
  }
}
