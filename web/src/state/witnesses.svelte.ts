/** Who signs that everybody is shown the same log of keys, and whose signature this browser requires. */

import { failureOf, isCode, type Failure } from "./failure";
import type { House } from "./house.svelte";
import type { Witness } from "./key-log";

export class Witnesses {
  list: readonly Witness[] = $state.raw([]);
  working = $state(false);
  failure: Failure | null = $state.raw(null);
  readonly #log: Pick<House["log"], "witnesses" | "require" | "release">;

  constructor({ log }: Pick<House, "log">) {
    this.#log = log;
  }

  /** Never rejects: without a server that says so there are none. */
  async look(): Promise<void> {
    try {
      this.list = await this.#log.witnesses();
    } catch (error) {
      if (isCode(error, "log-malformed")) this.failure = failureOf(error);
    }
  }

  /** Requires the signature of a witness from now on, or no longer. Never rejects: `failure` tells. */
  async choose(key: string, isRequired: boolean): Promise<void> {
    if (this.working) return;
    [this.working, this.failure] = [true, null];
    try {
      await (isRequired ? this.#log.require(key) : this.#log.release(key));
      await this.look();
    } catch (error) {
      this.failure = failureOf(error);
    } finally {
      this.working = false;
    }
  }

  close(): void {
    this.failure = null;
  }
}
