/** What this device remembers of an account beside its keyring, sealed: which device it is, the highest revisions it has seen. */

import { utf8 } from "../protocol/encoding";
import type { AuditHead } from "../crypto/audit";
import type { DeviceVault } from "../storage/keys";

/** A device is in wrong hands: the steps of shutting it out. */
export type RescueStep = "sessions" | "keys" | "ways" | "people";

interface Remembered {
  /** This browser among the keyring's devices. */
  deviceId: string | null;
  revs: Record<string, number>;
  /** When the account's record was signed last, as far as is known. */
  recordMs: number;
  /** When the records under this account's name were looked at last. */
  watchedMs: number;
  /** What was done already because a device is in wrong hands. */
  rescue: readonly RescueStep[];
  /** The keyring's, on the server, that this device has opened. */
  keyringVersion: string | null;
  /** The person wants to be told of news in this browser. */
  isTold: boolean;
  /** The last line of the chain of deletions that this device has seen. */
  audit: AuditHead | null;
}

const NAME = "memory";

export class Memory {
  readonly #vault: DeviceVault;
  #all: Remembered;

  private constructor(vault: DeviceVault, all: Remembered) {
    this.#vault = vault;
    this.#all = all;
  }

  static async recall(vault: DeviceVault): Promise<Memory> {
    const nothing: Remembered = {
      deviceId: null,
      revs: {},
      recordMs: 0,
      watchedMs: 0,
      rescue: [],
      keyringVersion: null,
      isTold: false,
      audit: null,
    };
    const kept = await vault.recall(NAME);
    const known = kept === null ? {} : (JSON.parse(new TextDecoder().decode(kept)) as Partial<Remembered>);
    return new Memory(vault, { ...nothing, ...known });
  }

  get deviceId(): string | null {
    return this.#all.deviceId;
  }

  get recordMs(): number {
    return this.#all.recordMs;
  }

  get watchedMs(): number {
    return this.#all.watchedMs;
  }

  get rescue(): readonly RescueStep[] {
    return this.#all.rescue;
  }

  get keyringVersion(): string | null {
    return this.#all.keyringVersion;
  }

  get isTold(): boolean {
    return this.#all.isTold;
  }

  get audit(): AuditHead | null {
    return this.#all.audit;
  }

  /** The highest revision seen of the keyring or a shard. */
  rev(thing: string): number {
    return this.#all.revs[thing] ?? 0;
  }

  async raise(thing: string, rev: number): Promise<void> {
    if (rev > this.rev(thing)) await this.#keep({ revs: { ...this.#all.revs, [thing]: rev } });
  }

  async note(news: Partial<Omit<Remembered, "revs">>): Promise<void> {
    await this.#keep(news);
  }

  async #keep(news: Partial<Remembered>): Promise<void> {
    this.#all = { ...this.#all, ...news };
    await this.#vault.keep(NAME, utf8(JSON.stringify(this.#all)));
  }
}
