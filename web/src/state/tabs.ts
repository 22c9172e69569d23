/** What the tabs of this browser tell each other of the account that is signed in. */

type Told = { type: "entered" } | { type: "left"; acct: string };

const LOCK = "restante-house ";

export class Tabs {
  readonly #channel = new BroadcastChannel("restante-session");

  constructor(hear: { onEntered: () => void; onLeft: (acct: string) => void }) {
    this.#channel.onmessage = ({ data }: MessageEvent<Told>) => {
      if (data.type === "entered") hear.onEntered();
      else hear.onLeft(data.acct);
    };
  }

  tellEntered(): void {
    this.#channel.postMessage({ type: "entered" } satisfies Told);
  }

  tellLeft(acct: string): void {
    this.#channel.postMessage({ type: "left", acct } satisfies Told);
  }

  /** Notes that this tab works with an account, until the signal. */
  use(acct: string, until: AbortSignal): void {
    const held = new Promise<void>((resolve) => until.addEventListener("abort", () => resolve(), { once: true }));
    void navigator.locks.request(`${LOCK}${acct}`, { mode: "shared" }, () => held);
  }

  /** Whether some tab works with it, one that is not trusted included. */
  async isInUse(acct: string): Promise<boolean> {
    const { held = [] } = await navigator.locks.query();
    return held.some(({ name }) => name === `${LOCK}${acct}`);
  }

  close(): void {
    this.#channel.close();
  }
}
