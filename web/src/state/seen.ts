/** The ids of what was received before: taken from the account's notes when a message needs them. */

import type { CryptoService, ReceivedEnvelope } from "../crypto/service";
import { Refused } from "./failure";
import type { ShardStore } from "./shards";

export interface SeenTools {
  readonly crypto: CryptoService;
  readonly shards: Pick<ShardStore, "recall" | "fetch" | "need" | "keep" | "faults">;
}

export class SeenIds {
  readonly #tools: SeenTools;
  readonly #taking = new Map<string, Promise<void>>();

  constructor(tools: SeenTools) {
    this.#tools = tools;
  }

  /**
   * Opens an envelope with all that is known of its month at hand. Without that a replay would not be noticed, so a note that
   * is not ours lets nothing through. @throws ProtocolError, Problem, Refused shard-…
   */
  async opened(sealed: Uint8Array): Promise<ReceivedEnvelope> {
    await this.#tools.shards.need("contacts"); // who is known decides whether a signature is
    for (;;) {
      const opened = await this.#tools.crypto.openEnvelope(sealed, Date.now());
      if (opened.unread.length === 0) return opened;
      for (const name of opened.unread) await this.#take(name);
    }
  }

  /** Keeps what was learnt. @throws StorageError */
  async keep(): Promise<void> {
    await this.#tools.shards.keep();
  }

  /** Several messages that are opened at a time wait for the same one. */
  async #take(name: string): Promise<void> {
    const taking = this.#taking.get(name) ?? this.#fetched(name);
    this.#taking.set(name, taking);
    await taking.finally(() => this.#taking.delete(name));
  }

  async #fetched(name: string): Promise<void> {
    await this.#tools.shards.recall(name).catch(() => false); // a copy that was evicted: the server has its own
    await this.#tools.shards.fetch(name);
    const fault = this.#tools.shards.faults.get(name);
    if (fault !== undefined) throw new Refused(fault);
  }
}
