/** Whom the owner accepted or blocked, as the server is to hear it: kept on this device until it has heard it. */

import { utf8 } from "../protocol/encoding";
import { nameOf } from "../protocol/names";
import type { DeviceVault } from "../storage/keys";
import type { Api } from "../transfer/http";
import { Problem } from "../transfer/problem";

export type Standing = "accepted" | "blocked" | "unknown";

interface Tools {
  readonly api: Pick<Api, "put">;
  readonly vault: Pick<DeviceVault, "keep" | "recall">;
}

const NAME = "acquaintances";
/** What the server will never take. */
const FOR_GOOD = [404, 422];

export class Acquaintances {
  readonly #tools: Tools;
  #owed: Map<string, Standing> | null = null;
  #work: Promise<void> = Promise.resolve();

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  /** Notes it and tells it, now or when the server is reached. Never rejects: on this device it holds all the same. */
  tell(acct: string, standing: Standing): Promise<void> {
    return this.#inTurn(async () => {
      (await this.#all()).set(acct, standing);
      await this.#keep();
      await this.#settle();
    });
  }

  /** Tells what is still owed. Never rejects. */
  settle(): Promise<void> {
    return this.#inTurn(() => this.#settle());
  }

  async #settle(): Promise<void> {
    const owed = await this.#all();
    for (const [acct, state] of [...owed]) {
      const path = { name: nameOf(acct) };
      await this.#tools.api.put("/api/v1/account/acquaintances/{name}", { state }, { path }).catch(unlessForGood);
      owed.delete(acct);
      await this.#keep();
    }
  }

  async #all(): Promise<Map<string, Standing>> {
    this.#owed ??= await this.#recalled();
    return this.#owed;
  }

  async #recalled(): Promise<Map<string, Standing>> {
    try {
      const kept = await this.#tools.vault.recall(NAME);
      return new Map(kept === null ? [] : (JSON.parse(new TextDecoder().decode(kept)) as [string, Standing][]));
    } catch {
      return new Map(); // unreadable: what was decided stands in the account's notes
    }
  }

  /** A full device knows it as long as this page lives. */
  async #keep(): Promise<void> {
    await this.#tools.vault.keep(NAME, utf8(JSON.stringify([...(this.#owed ?? [])]))).catch(() => undefined);
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(work).catch(() => undefined); // stays owed, and is told at the next connection
    return this.#work;
  }
}

function unlessForGood(error: unknown): void {
  if (!(error instanceof Problem) || !FOR_GOOD.includes(error.status)) throw error;
}
