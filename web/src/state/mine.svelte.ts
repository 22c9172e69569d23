/** What the server stores for the account, and with whom; cleaning up what was watched. */

import type { components } from "../protocol/api";
import { isGone } from "./box";
import { failureOf, type Failure } from "./failure";
import type { House } from "./house.svelte";
import { InboxState } from "./inbox.svelte";
import { Keeping } from "./keeping.svelte";
import { Shelf } from "./shelf.svelte";
import { UNDO_MS } from "./undo";

export type Storage = components["schemas"]["Storage"];
export type StoragePhase =
  | { kind: "loading" }
  | { kind: "ready"; storage: Storage }
  | { kind: "failed"; failure: Failure }
  | { kind: "offline" };

/** Received videos that may go: their ids, and the bytes of their videos. */
export interface Watched {
  readonly ids: readonly string[];
  readonly bytes: number;
}

/** `thinking`: it can still be taken back. */
export type CleaningPhase =
  | { kind: "idle" }
  | { kind: "thinking"; count: number }
  | { kind: "working"; done: number; of: number }
  | { kind: "done"; count: number }
  | { kind: "failed"; failure: Failure };

export class Mine {
  phase: StoragePhase = $state.raw({ kind: "loading" });
  cleaning: CleaningPhase = $state.raw({ kind: "idle" });
  readonly #house: House;
  readonly #inbox: InboxState;
  readonly #keeping: Keeping;
  readonly #shelf: Shelf;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(house: House) {
    this.#house = house;
    this.#inbox = house.part(InboxState);
    this.#keeping = house.part(Keeping);
    this.#shelf = house.part(Shelf);
  }

  /** How many received videos play here without the network. */
  get here(): number {
    return this.#keeping.here.size;
  }

  /** Never rejects: `phase` tells. */
  async look(): Promise<void> {
    try {
      await this.#shelf.read(); // what another device keeps is not cleaned up here
      this.phase = { kind: "ready", storage: await this.#house.api.get("/api/v1/account/storage") };
    } catch (error) {
      const failure = failureOf(error);
      this.phase = failure.code === "offline" ? { kind: "offline" } : { kind: "failed", failure };
    }
  }

  /** Received videos that were watched before then, but for those that the owner keeps. */
  watchedBefore(beforeMs: number): Watched {
    const found = this.#inbox.letters.filter(
      ({ id, playedAt, content }) =>
        playedAt !== null && playedAt <= beforeMs && content?.video != null && !this.#shelf.isKept(id),
    );
    const bytes = found.reduce((sum, { content }) => sum + (content?.video?.size ?? 0), 0);
    return { ids: found.map(({ id }) => id), bytes };
  }

  /** Deletes one's own copies, a few seconds later; a page that ends before that deletes nothing. */
  clean({ ids }: Watched): void {
    if (this.cleaning.kind === "thinking" || this.cleaning.kind === "working" || ids.length === 0) return;
    this.cleaning = { kind: "thinking", count: ids.length };
    this.#timer = setTimeout(() => void this.#delete(ids), UNDO_MS);
  }

  undo(): void {
    clearTimeout(this.#timer);
    if (this.cleaning.kind === "thinking") this.cleaning = { kind: "idle" };
  }

  /** Lets go of what is kept on this device; it plays again from the server. */
  async letGo(): Promise<void> {
    await this.#keeping.keepOnly(new Set());
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  async #delete(ids: readonly string[]): Promise<void> {
    try {
      for (const [done, id] of ids.entries()) {
        this.cleaning = { kind: "working", done, of: ids.length };
        await this.#house.api.patiently(() => this.#deleteOne(id), this.#house.signal);
      }
      this.cleaning = { kind: "done", count: ids.length };
    } catch (error) {
      if (this.#house.signal.aborted) return;
      this.cleaning = { kind: "failed", failure: failureOf(error) };
    }
    this.#inbox.refresh();
    await this.look();
  }

  async #deleteOne(id: string): Promise<void> {
    const url = `/api/v1/messages/${encodeURIComponent(id)}?for=me`;
    try {
      await this.#house.api.request("DELETE", url);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
    await this.#keeping.drop(id);
  }
}
