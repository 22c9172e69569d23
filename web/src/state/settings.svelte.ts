/** The settings of an account, kept in step with its other devices; what lies on this device. */

import type { CryptoService } from "../crypto/service";
import { askToPersist } from "../storage/db";
import { findDrafts } from "../take/recovery";
import type { Api } from "../transfer/http";
import { valid, type Choices, type Chosen } from "./choices.svelte";
import { receiptsOf, type Receipts } from "./receipts";
import type { ShardStore } from "./shards";

export interface StorageUse {
  usedBytes: number;
  quotaBytes: number;
  drafts: number;
  /** The browser promised to keep it. */
  persisted: boolean;
}

export interface SettingsTools {
  readonly api: Api;
  readonly crypto: CryptoService;
  readonly shards: ShardStore;
  readonly choices: Choices;
  readonly account: { readonly acct: string };
}

const SHARD = "settings";

export class Settings {
  /** What senders hear of what was fetched and played. */
  receipts: Receipts = $state.raw("plain");
  storage: StorageUse | null = $state.raw(null);
  readonly #tools: SettingsTools;

  constructor(tools: SettingsTools) {
    this.#tools = tools;
    tools.shards.onTaken(SHARD, () => this.#take());
  }

  get choices(): Chosen {
    return this.#tools.choices.chosen;
  }

  /** Holds at once; other devices hear of it when the server is reached. */
  async choose(changed: Partial<Chosen>): Promise<void> {
    this.#tools.choices.choose(changed);
    const at = Date.now();
    for (const [key, value] of Object.entries(changed)) await this.#tools.crypto.setSetting(key, value, at);
    await this.#tools.shards.keep();
  }

  /** For every device of the account. */
  async chooseReceipts(receipts: Receipts): Promise<void> {
    this.receipts = receipts;
    await this.#tools.crypto.setSetting("receipts", receipts, Date.now());
    await this.#tools.shards.keep();
  }

  async recall(): Promise<void> {
    if (await this.#tools.shards.recall(SHARD)) await this.#take();
  }

  /** Takes what other devices chose. @throws Problem */
  async refresh(): Promise<void> {
    await this.#tools.shards.fetch(SHARD);
  }

  /** Measures what lies on this device. */
  async measure(): Promise<void> {
    const { usage = 0, quota = 0 } = await navigator.storage.estimate();
    const persisted = await navigator.storage.persisted();
    const found = await findDrafts(this.#tools.account.acct);
    const drafts = found.filter((draft) => draft.kind !== "evicted").length;
    this.storage = { usedBytes: usage, quotaBytes: quota, drafts, persisted };
  }

  async persist(): Promise<void> {
    await askToPersist();
    await this.measure();
  }

  async #take(): Promise<void> {
    const settings = await this.#tools.crypto.settings();
    this.receipts = receiptsOf(settings["receipts"]);
    const told = valid(settings);
    if (Object.keys(told).length > 0) this.#tools.choices.choose(told);
  }
}
