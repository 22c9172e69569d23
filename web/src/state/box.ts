/** One list of messages, kept in step with the server: from the encrypted local index first, then by what changed since. */

import { isId } from "../protocol/ids";
import type { Entry, LocalIndex } from "../storage/index";
import { malformed, Problem } from "../transfer/problem";

interface Listed {
  readonly id: string;
  readonly change: number;
  readonly deleted_at: number | null;
}
export interface Page<W> {
  readonly items: readonly W[];
  readonly cursor: string | null;
}
export type Query = Record<string, string | number>;

export interface BoxOptions<W extends Listed, E extends Entry> {
  readonly index: LocalIndex<E>;
  /** A page of the list. */
  readonly list: (query: Query) => Promise<Page<W>>;
  /** One message, as the list would give it. */
  readonly one: (id: string) => Promise<W>;
  /** Opens a message, or brings the known entry up to date. */
  readonly take: (item: W, known: E | undefined) => Promise<E>;
  /** Whether opening should be tried again: it failed. */
  readonly isFailed: (entry: E) => boolean;
  readonly onChange: (entries: ReadonlyMap<string, E>) => void;
}

const PAGE = 50;
const AT_ONCE = 4;
const TOGETHER_MS = 100;
/** More than a screen shows. */
const FIRST = 100;

export class Box<W extends Listed, E extends Entry> {
  readonly #options: BoxOptions<W, E>;
  readonly #entries = new Map<string, E>();
  #since: number | null = null;
  #hasRetried = false;
  #isBehind = false;
  #first = "";
  #telling: ReturnType<typeof setTimeout> | undefined;
  /** Deleted ones that the server told of while this page was open. */
  readonly #gone = new Set<string>();
  /** All that went while this page was open, however; the index may still give them. */
  readonly #removed = new Set<string>();

  constructor(options: BoxOptions<W, E>) {
    this.#options = options;
  }

  get(id: string): E | undefined {
    return this.#entries.get(id);
  }

  get all(): Iterable<E> {
    return this.#entries.values();
  }

  /** Whether the server's list has or had it, as far as is known here. */
  wasListed(id: string): boolean {
    return this.#entries.has(id) || this.#gone.has(id);
  }

  /** Whether the server's list was ever read on this device. */
  get wasRead(): boolean {
    return this.#since !== null;
  }

  /** Takes what this device kept. @throws StorageError */
  async load(): Promise<void> {
    const { index } = this.#options;
    this.#add(await index.first());
    this.#told();
    for await (const entries of index.all()) this.#add(entries);
    this.#since ??= await index.since();
    this.#isBehind = true;
    this.#told();
  }

  /** Reads everything anew next time: the server no longer knows what changed since. */
  forget(): void {
    this.#since = null;
  }

  /** Takes what changed on the server. @throws Problem */
  async read(): Promise<void> {
    const begin = this.#since;
    const listed = new Set<string>();
    let last = begin ?? 0;
    for await (const items of this.#pages(begin)) {
      await eachOf(items, async (item) => this.#take(item));
      for (const item of items) listed.add(item.id);
      last = Math.max(last, ...items.map((item) => item.change));
    }
    if (begin === null) await this.#remove([...this.#entries.keys()].filter((id) => !listed.has(id)));
    this.#told();
    await this.#options.index.change({ since: last });
    this.#since = last;
    await this.#retryFailed(listed);
    this.#told();
  }

  /** Changes entries, here and in the index. */
  async put(...entries: E[]): Promise<void> {
    if (entries.length === 0) return;
    for (const entry of entries) this.#entries.set(entry.id, entry);
    this.#options.onChange(this.#entries);
    await this.#options.index.change({ put: entries });
  }

  /** Notes with which of them the screen begins, so that these are here first next time. */
  async noteFirst(ids: readonly string[]): Promise<void> {
    const first = ids.slice(0, FIRST);
    if (first.join() === this.#first) return;
    await this.#options.index.noteFirst(first);
    this.#first = first.join();
  }

  async drop(id: string): Promise<void> {
    await this.#remove([id]);
  }

  #add(entries: readonly E[]): void {
    const isNew = ({ id }: E): boolean => !this.#entries.has(id) && !this.#removed.has(id);
    for (const entry of entries) if (isNew(entry)) this.#entries.set(entry.id, entry);
    this.#isBehind ||= entries.length > 0;
  }

  /** The first at once; of thousands, what comes in the next moment is shown together. */
  #tell(): void {
    this.#isBehind = true;
    if (this.#telling !== undefined) return;
    this.#told();
    this.#telling = setTimeout(() => {
      this.#telling = undefined;
      this.#told();
    }, TOGETHER_MS);
  }

  #told(): void {
    if (!this.#isBehind) return;
    this.#isBehind = false;
    this.#options.onChange(this.#entries);
  }

  async *#pages(since: number | null): AsyncGenerator<readonly W[]> {
    const query = { limit: PAGE, ...(since === null ? {} : { since }) };
    const cursors = new Set<string>();
    for (let cursor: string | null = ""; cursor !== null;) {
      const page: Page<W> = await this.#options.list(cursor === "" ? query : { ...query, cursor });
      if (!Array.isArray(page.items) || !page.items.every((item) => isId(item.id, "msg")))
        throw malformed("a message’s id");
      yield page.items;
      cursor = page.cursor;
      if (cursor !== null && cursors.size === cursors.add(cursor).size) throw malformed("a list without end");
    }
  }

  async #take(item: W): Promise<void> {
    if (item.deleted_at !== null) {
      this.#gone.add(item.id);
      return this.#remove([item.id]);
    }
    try {
      const entry = await this.#options.take(item, this.#entries.get(item.id));
      this.#entries.set(entry.id, entry);
      this.#tell();
      await this.#options.index.change({ put: [entry] });
    } catch (error) {
      if (!isGone(error)) throw error;
      await this.#remove([item.id]);
    }
  }

  /** Once in each life of a page: whatever kept a message from opening may have been put right. */
  async #retryFailed(listed: ReadonlySet<string>): Promise<void> {
    if (this.#hasRetried) return;
    this.#hasRetried = true;
    const failed = [...this.#entries.values()].filter(
      (entry) => this.#options.isFailed(entry) && !listed.has(entry.id),
    );
    for (const { id } of failed) {
      try {
        await this.#take(await this.#options.one(id));
      } catch (error) {
        if (!isGone(error)) throw error;
        await this.#remove([id]);
      }
    }
  }

  async #remove(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#removed.add(id);
    const known = ids.filter((id) => this.#entries.delete(id));
    if (known.length === 0) return;
    this.#options.onChange(this.#entries);
    await this.#options.index.change({ remove: known });
  }
}

/** It was deleted while it was being opened. */
export function isGone(error: unknown): boolean {
  return error instanceof Problem && (error.code === "message-gone" || error.code === "not-found");
}

/** A few at a time, so that the first are there soon and the line is used. */
async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
