/** The encrypted local index of opened messages: the inbox shows from it at once and fills in the background. */

import { utf8 } from "../protocol/encoding";
import { ofAccount, type IndexRow } from "./db";
import { stored } from "./errors";
import type { DeviceVault } from "./keys";

export type Box = "inbox" | "sent";

/** What a list needs, whatever that is to its screen; `id` is the message's. */
export interface Entry {
  readonly id: string;
}

export class LocalIndex<E extends Entry> {
  readonly #vault: DeviceVault;
  readonly box: Box;

  constructor(vault: DeviceVault, box: Box) {
    this.#vault = vault;
    this.box = box;
  }

  /** All entries, in no order, some at a time. One that cannot be read (its key is gone) is left out: the server has it. */
  async *all(): AsyncGenerator<E[]> {
    const { acct, db } = this.#vault;
    for (let after = LAST_NOTE; ;) {
      const rest = IDBKeyRange.bound([acct, this.box, after], [acct, this.box, []], true);
      const rows = await stored(() => db.getAll("index", rest, AT_A_TIME));
      yield await this.#openedOf(rows);
      const last = rows.at(-1);
      if (last === undefined || rows.length < AT_A_TIME) return;
      after = last.id;
    }
  }

  /** Those that were noted as the first of the list: enough for a screen, long before all of thousands are here. */
  async first(): Promise<E[]> {
    const { acct, db } = this.#vault;
    const ids = (await this.#note<string[]>(FIRST)) ?? [];
    const rows = await stored(async () => {
      const work = db.transaction("index");
      return Promise.all(ids.map(async (id) => work.store.get([acct, this.box, id])));
    });
    return this.#openedOf(rows.filter((row) => row !== undefined));
  }

  /** Notes which entries a screen begins with. */
  async noteFirst(ids: readonly string[]): Promise<void> {
    const row = await this.#row(FIRST, ids);
    await stored(() => this.#vault.db.put("index", row));
  }

  /** Stores entries, removes others, and notes up to which change the box was read, all or nothing. @throws StorageError device-full */
  async change(news: { put?: readonly E[]; remove?: readonly string[]; since?: number }): Promise<void> {
    const { acct, db } = this.#vault;
    const values = [...(news.put ?? []).map((entry): [string, unknown] => [entry.id, entry])];
    if (news.since !== undefined) values.push([PLACE, news.since]);
    const rows = await Promise.all(values.map(async ([id, value]) => this.#row(id, value)));
    await stored(async () => {
      const work = db.transaction(["index", "posters"], "readwrite");
      const index = work.objectStore("index");
      await Promise.all([
        ...rows.map(async (row) => index.put(row)),
        ...(news.remove ?? []).map(async (id) => index.delete([acct, this.box, id])),
        ...(news.remove ?? []).map(async (id) => work.objectStore("posters").delete([acct, id])),
        work.done,
      ]);
    });
  }

  /** The largest `change` that was stored, for the next `since`; null asks for everything. */
  async since(): Promise<number | null> {
    return this.#note<number>(PLACE);
  }

  async putPoster(id: string, poster: Uint8Array<ArrayBuffer>): Promise<void> {
    const sealed = await this.#vault.seal(`poster ${id}`, poster);
    await stored(() => this.#vault.db.put("posters", { acct: this.#vault.acct, id, sealed }));
  }

  async poster(id: string): Promise<Uint8Array<ArrayBuffer> | null> {
    const kept = await stored(() => this.#vault.db.get("posters", [this.#vault.acct, id]));
    return kept === undefined ? null : this.#vault.open(`poster ${id}`, kept.sealed).catch(() => null);
  }

  /** Forgets the box, so that it is read anew: after a `resync`. */
  async clear(): Promise<void> {
    await stored(() => this.#vault.db.delete("index", ofAccount(this.#vault.acct, this.box)));
  }

  async #note<T>(name: string): Promise<T | null> {
    const row = await stored(() => this.#vault.db.get("index", [this.#vault.acct, this.box, name]));
    return row === undefined ? null : this.#opened<T>(name, row.sealed).catch(() => null);
  }

  async #openedOf(rows: readonly IndexRow[]): Promise<E[]> {
    const entries = await Promise.all(rows.map(async (row) => this.#opened<E>(row.id, row.sealed).catch(() => null)));
    return entries.filter((entry) => entry !== null);
  }

  async #row(id: string, value: unknown) {
    const sealed = await this.#vault.seal(this.#label(id), utf8(JSON.stringify(value)));
    return { acct: this.#vault.acct, box: this.box, id, sealed };
  }

  async #opened<T>(id: string, sealed: Parameters<DeviceVault["open"]>[1]): Promise<T> {
    return JSON.parse(new TextDecoder().decode(await this.#vault.open(this.#label(id), sealed))) as T;
  }

  #label(id: string): string {
    return `index ${this.box} ${id}`;
  }
}

/** Rows of which no message has the id: how far the box was read, and what stands first in it. They sort before all ids. */
const PLACE = "";
const FIRST = "!first";
const LAST_NOTE = FIRST;
/** More would keep the page from showing what is here already. */
const AT_A_TIME = 500;
