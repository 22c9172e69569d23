/** Whether the server is reached, and what it tells: one live channel per browser, heard by many. */

import type { Fetch } from "../transfer/http";
import { LiveChannel, type Happening, type LiveState } from "../transfer/live";

export type { Happening } from "../transfer/live";

type Listener = (happening: Happening) => void;

export class Live {
  #state: LiveState = $state("connecting");
  #hasNetwork = $state(true);
  readonly #listeners = new Set<Listener>();
  readonly #channel: LiveChannel;
  readonly #closed = new AbortController();

  /** @param onRefused the session has ended. */
  constructor(acct: string, onRefused: () => void, send?: Fetch) {
    this.#hasNetwork = navigator.onLine;
    const note = (): void => void (this.#hasNetwork = navigator.onLine);
    for (const name of ["online", "offline"]) addEventListener(name, note, { signal: this.#closed.signal });
    this.#channel = new LiveChannel({
      acct,
      ...(send && { fetch: send }),
      onHappening: (happening) => this.#tell(happening),
      onState: (state) => {
        this.#state = state;
        if (state === "refused") onRefused();
      },
    });
  }

  get state(): LiveState {
    return this.#state;
  }

  /** No network, or a server that does not answer. */
  get isOffline(): boolean {
    return !this.#hasNetwork || this.#state === "offline";
  }

  /** Hears every happening from now on; `connected` means that some may have been missed before. Returns how to stop. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#closed.abort();
    this.#listeners.clear();
    this.#channel.close();
  }

  #tell(happening: Happening): void {
    for (const listener of this.#listeners) listener(happening);
  }
}
