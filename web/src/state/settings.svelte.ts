/** The settings of an account, kept in step with its other devices; where it is signed in; what lies on this device. */

import type { CryptoService } from "../crypto/service";
import { askToPersist } from "../storage/db";
import { findDrafts } from "../take/recovery";
import type { Api } from "../transfer/http";
import { valid, type Choices, type Chosen } from "./choices.svelte";
import { failureOf, type Failure } from "./failure";
import type { ShardStore } from "./shards";

export interface SessionOfAccount {
  id: string;
  client: "web" | "cli";
  createdAt: number;
  usedAt: number;
  current: boolean;
}

export type SessionsState =
  | { kind: "loading" }
  | { kind: "ready"; list: readonly SessionOfAccount[] }
  | { kind: "failed"; failure: Failure }
  | { kind: "offline" };

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
  sessions: SessionsState = $state.raw({ kind: "loading" });
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

  async recall(): Promise<void> {
    if (await this.#tools.shards.recall(SHARD)) await this.#take();
  }

  /** Takes what other devices chose. @throws Problem */
  async refresh(): Promise<void> {
    await this.#tools.shards.fetch(SHARD);
  }

  /** Where the account is signed in. Never rejects: `sessions` tells. */
  async lookAtSessions(): Promise<void> {
    try {
      const { items } = await this.#tools.api.get("/api/v1/sessions");
      const list = items.map(({ id, client, created_at, last_seen_at, current }) => {
        return { id, client, createdAt: created_at, usedAt: last_seen_at, current };
      });
      this.sessions = { kind: "ready", list };
    } catch (error) {
      const failure = failureOf(error);
      this.sessions = failure.code === "offline" ? { kind: "offline" } : { kind: "failed", failure };
    }
  }

  /** Ends one of the other sessions. */
  async end(sessionId: string): Promise<void> {
    try {
      await this.#tools.api.delete("/api/v1/sessions/{session_id}", { path: { session_id: sessionId } });
    } catch (error) {
      const failure = failureOf(error);
      if (failure.code !== "not-found") {
        this.sessions = failure.code === "offline" ? { kind: "offline" } : { kind: "failed", failure };
        return;
      }
    }
    await this.lookAtSessions();
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
    const told = valid(await this.#tools.crypto.settings());
    if (Object.keys(told).length > 0) this.#tools.choices.choose(told);
  }
}
