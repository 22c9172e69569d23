/** Messages whose sender names an earlier one that never came: the server may hold it back. */

import type { CryptoService } from "../crypto/service";
import type { Api } from "../transfer/http";
import type { Letter } from "./letters";
import type { ShardStore } from "./shards";

export interface GapTools {
  readonly api: Api;
  readonly crypto: Pick<CryptoService, "wasReceived">;
  readonly shards: Pick<ShardStore, "need">;
}

/** A shard of ids of a month. */
const SEEN = /^seen-\d{4}-\d{2}(-\d)?$/;

export class Gaps {
  readonly #tools: GapTools;
  #all: Promise<void> | null = null;

  constructor(tools: GapTools) {
    this.#tools = tools;
  }

  /**
   * Finds the letters after which nothing of their sender's is missing; `isListed` knows what the server's list ever had. A letter
   * that is not found here stands after a gap. @throws Problem
   */
  async whole(letters: readonly Letter[], isListed: (id: string) => boolean): Promise<Letter[]> {
    const whole: Letter[] = [];
    for (const letter of letters) {
      const prev = letter.content?.prev;
      if (prev !== undefined && (isListed(prev) || (await this.#wasReceived(prev)))) whole.push(letter);
    }
    return whole;
  }

  async #wasReceived(id: string): Promise<boolean> {
    if (await this.#tools.crypto.wasReceived(id)) return true;
    this.#all ??= this.#takeAll();
    await this.#all.catch((error: unknown) => {
      this.#all = null;
      throw error;
    });
    return this.#tools.crypto.wasReceived(id);
  }

  /** Everything that was ever received, whatever month it was. */
  async #takeAll(): Promise<void> {
    const { items } = await this.#tools.api.get("/api/v1/account/state");
    for (const { shard } of items) if (SEEN.test(shard)) await this.#tools.shards.need(shard);
  }
}
