/** Passkeys among what the browser fills in: it goes on quietly beside the other ways to sign in, until one of them is taken. */

import type { Api } from "../transfer/http";
import type { Answered } from "./entering";
import type { Passkeys } from "./passkeys";

/** Less than the server waits for the answer to one question. */
const RENEW_MS = 4 * 60_000;

export class PasskeyOffer {
  readonly #stop = new AbortController();
  readonly #tools: { api: Api; passkeys: Passkeys };
  /** Resolves when nothing is offered any more: the browser takes one question at a time. */
  readonly ended: Promise<void>;

  /** `onShown`: somebody chose one. `before`: an earlier offer ends. */
  constructor(
    tools: { api: Api; passkeys: Passkeys },
    onShown: (shown: Answered) => void,
    before: Promise<void> = Promise.resolve(),
  ) {
    this.#tools = tools;
    this.ended = before.then(() => this.#run(onShown));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.ended;
  }

  /** Nobody asked for it, so that nobody is told why it ended. */
  async #run(onShown: (shown: Answered) => void): Promise<void> {
    const { signal } = this.#stop;
    if (!(await this.#tools.passkeys.canOffer())) return;
    while (!signal.aborted) {
      const round = AbortSignal.any([signal, AbortSignal.timeout(RENEW_MS)]);
      try {
        onShown(await this.#ask(round));
        return;
      } catch {
        if (!round.aborted) return;
      }
      await seen(signal);
    }
  }

  async #ask(signal: AbortSignal): Promise<Answered> {
    const { api, passkeys } = this.#tools;
    const { ceremony, options } = await api.post("/api/v1/passkeys/assertion", {});
    signal.throwIfAborted();
    return { ceremony, ...(await passkeys.offer(options, signal)) };
  }
}

/** Waits until the page is looked at: one that nobody sees asks the server nothing. */
function seen(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!document.hidden || signal.aborted) resolve();
    };
    document.addEventListener("visibilitychange", look, { signal });
    signal.addEventListener("abort", () => resolve(), { once: true });
    look();
  });
}
