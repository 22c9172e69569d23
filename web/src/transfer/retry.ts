/** How passing trouble is waited out: doubling delays with jitter, cut short when the network comes back. */

export type Waiting = {
  baseMs: number;
  capMs: number;
  /** From 0 to 1. */
  random: () => number;
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
};

const QUICKEST_WAKE_MS = 50;

export const WAITING: Waiting = { baseMs: 250, capMs: 10_000, random: Math.random, sleep: sleepUntilOnline };

/** The waits of one undertaking; `renew` after progress. */
export class Patience {
  readonly #waiting: Waiting;
  #attempt = 0;

  constructor(waiting: Waiting = WAITING) {
    this.#waiting = waiting;
  }

  /** Never less than the server asks for; half of the rest is chance, so that many clients do not come back together. */
  nextDelayMs(retryAfterS = 0): number {
    const { baseMs, capMs, random } = this.#waiting;
    const span = Math.min(capMs, baseMs * 2 ** Math.min(this.#attempt, 30));
    return retryAfterS * 1000 + span * (0.5 + random() / 2);
  }

  async wait(signal: AbortSignal, retryAfterS = 0): Promise<void> {
    const delayMs = this.nextDelayMs(retryAfterS);
    this.#attempt += 1;
    await this.#waiting.sleep(delayMs, signal);
  }

  renew(): void {
    this.#attempt = 0;
  }
}

/** Waits; an `online` event of the page or worker ends it early. Rejects when the signal is aborted. */
export async function sleepUntilOnline(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const wake = (): void => {
      clearTimeout(timer);
      timer = setTimeout(end, Math.min(ms, QUICKEST_WAKE_MS));
    };
    const end = (): void => {
      clear();
      resolve();
    };
    const abort = (): void => {
      clear();
      reject(signal.reason as Error);
    };
    const clear = (): void => {
      clearTimeout(timer);
      globalThis.removeEventListener?.("online", wake);
      signal.removeEventListener("abort", abort);
    };
    let timer = setTimeout(end, ms);
    globalThis.addEventListener?.("online", wake);
    signal.addEventListener("abort", abort, { once: true });
  });
}
