/** What the owner does with messages: kept above the others, or archived; in the account's notes, month by month. */

import type { Flags } from "../crypto/service";
import { failureOf, Refused } from "./failure";
import type { House } from "./house.svelte";
import { sentAt, type Letter } from "./letters";

type Tools = Pick<House, "api" | "crypto" | "shards" | "live">;

const KEPT = /^kept-\d{4}-\d{2}$/;
const YEAR_9999_MS = 253_370_764_800_000;

export class Shelf {
  /** By message id. */
  flags: ReadonlyMap<string, Flags> = $state.raw(new Map());
  /** Told when anything of it changed. */
  onChange: () => void = () => undefined;
  readonly #tools: Tools;
  readonly #recalled = new Set<string>();
  readonly #unlisten: () => void;

  constructor(tools: Tools) {
    this.#tools = tools;
    this.#unlisten = tools.live.listen(({ kind }) => {
      if (kind === "connected") void this.read();
    });
    tools.shards.onHeard = () => this.#show();
    void this.read();
  }

  isKept(id: string): boolean {
    return this.flags.get(id)?.kept?.value === true;
  }

  isArchived(id: string): boolean {
    return this.flags.get(id)?.archived?.value === true;
  }

  /** Takes this device's copies of the months of these letters: works without a network. Never rejects. */
  async attend(letters: readonly Letter[]): Promise<void> {
    const months = new Set(letters.map(shardOf).filter((name) => !this.#recalled.has(name)));
    if (months.size === 0) return;
    for (const name of months) {
      this.#recalled.add(name);
      await this.#tools.shards.recall(name).catch(() => false); // the server has its own
    }
    await this.#show();
  }

  /** Takes what other devices noted. Never rejects: what is known here stands. */
  async read(): Promise<void> {
    try {
      const { items } = await this.#tools.api.get("/api/v1/account/state");
      for (const { shard } of items) if (KEPT.test(shard)) await this.#tools.shards.fetch(shard);
    } catch {
      // At the next connection.
    }
    await this.#show().catch(() => undefined); // locked meanwhile
  }

  /** Notes what the owner wants; what is absent stays as it is. @throws Refused kept-full; StorageError */
  async mark(letter: Letter, wish: { kept?: boolean; archived?: boolean }): Promise<void> {
    const { crypto, shards } = this.#tools;
    const [at, name] = [Date.now(), shardOf(letter)];
    await shards.need(name).catch(unlessOffline); // merged when it comes
    const { kept, archived } = wish;
    const flags = {
      ...(kept !== undefined && { kept: { value: kept, at } }),
      ...(archived !== undefined && { archived: { value: archived, at } }),
    };
    if (!(await crypto.noteFlags(letter.id, name, flags))) throw new Refused("kept-full");
    await this.#show();
    await shards.keep();
  }

  close(): void {
    this.#unlisten();
    this.#tools.shards.onHeard = () => Promise.resolve();
  }

  async #show(): Promise<void> {
    this.flags = await this.#tools.crypto.flags();
    this.onChange();
  }
}

/** By the month that the sender signed; of a damaged one, by that of the server. */
function shardOf(letter: Letter): string {
  const month = new Date(Math.min(sentAt(letter), YEAR_9999_MS)).toISOString().slice(0, "YYYY-MM".length);
  return `kept-${month}`;
}

function unlessOffline(error: unknown): void {
  if (failureOf(error).code !== "offline") throw error;
}
