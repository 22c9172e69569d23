/** Words on their way: kept sealed on this device until the server has them, so that a page that ends loses none. */

import { utf8 } from "../protocol/encoding";
import { ofAccount } from "./db";
import type { DraftRequest } from "./drafts";
import { stored } from "./errors";
import { NOTE, type DeviceVault } from "./keys";

export interface Note {
  readonly id: string;
  readonly kind: "text" | "reaction";
  /** Acct of whom they are for. */
  readonly to: string;
  readonly text: string;
  readonly replyTo: string | null;
  readonly createdMs: number;
  readonly messageKey: string;
  /** What is posted, byte for byte; null until it is sealed. */
  readonly request: Omit<DraftRequest, "upload"> | null;
}

export class Notes {
  readonly #vault: DeviceVault;

  constructor(vault: DeviceVault) {
    this.#vault = vault;
  }

  /** @throws StorageError device-full */
  async keep(note: Note): Promise<void> {
    await this.#vault.keep(NOTE + note.id, utf8(JSON.stringify(note)));
  }

  /** Null when another window has sent it meanwhile. */
  async get(id: string): Promise<Note | null> {
    const kept = await this.#vault.recall(NOTE + id);
    return kept === null ? null : (JSON.parse(new TextDecoder().decode(kept)) as Note);
  }

  /** All that are kept, the oldest first; one that cannot be read is left out. */
  async all(): Promise<Note[]> {
    const keys = await stored(() => this.#vault.db.getAllKeys("vault", ofAccount(this.#vault.acct)));
    const ids = keys.map(([, name]) => name).filter((name) => name.startsWith(NOTE));
    const found = await Promise.all(ids.map(async (name) => this.get(name.slice(NOTE.length)).catch(() => null)));
    return found.filter((note) => note !== null).sort((one, other) => one.createdMs - other.createdMs);
  }

  async drop(id: string): Promise<void> {
    await this.#vault.drop(NOTE + id);
  }
}
