import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { newId } from "../../src/protocol/ids";
import { Box, type BoxOptions, type Page, type Query } from "../../src/state/box";
import { Problem } from "../../src/transfer/problem";

interface Item {
  id: string;
  change: number;
  deleted_at: number | null;
  word: string;
}
interface Kept {
  id: string;
  word: string;
  isFailed?: boolean;
}

/** The server's list: every change gets the next number, a deleted one stays as a tombstone. */
class Shelf {
  readonly items = new Map<string, Item>();
  readonly asked: Query[] = [];
  breaksAt = Infinity;
  #change = 0;

  put(id: string, word: string, deleted_at: number | null = null): void {
    this.items.set(id, { id, word, deleted_at, change: ++this.#change });
  }

  readonly list = async (query: Query): Promise<Page<Item>> => {
    this.asked.push(query);
    if (this.asked.length >= this.breaksAt) throw new Problem("gone", { code: "offline", status: 0 });
    const { since, limit, cursor = 0 } = query;
    const changed = [...this.items.values()].filter((item) => since === undefined || item.change > Number(since));
    const living = since === undefined ? changed.filter((item) => item.deleted_at === null) : changed;
    const sorted = living.sort((one, other) => (one.change - other.change) * (since === undefined ? -1 : 1));
    const end = Number(cursor) + Math.min(Number(limit), 3);
    return { items: sorted.slice(Number(cursor), end), cursor: end < sorted.length ? String(end) : null };
  };

  get living(): Map<string, string> {
    return new Map(
      [...this.items.values()].filter((item) => item.deleted_at === null).map(({ id, word }) => [id, word]),
    );
  }
}

/** The index of a device that outlives its page. */
class Memory {
  readonly kept = new Map<string, Kept>();
  place: number | null = null;

  noted: readonly string[] = [];

  async first(): Promise<Kept[]> {
    return this.noted.flatMap((id) => this.kept.get(id) ?? []);
  }

  async noteFirst(ids: readonly string[]): Promise<void> {
    this.noted = ids;
  }

  /** One at a time, so that much can happen meanwhile. */
  async *all(): AsyncGenerator<Kept[]> {
    for (const entry of [...this.kept.values()]) yield [entry];
  }

  readonly since = async (): Promise<number | null> => this.place;
  readonly change: BoxOptions<Item, Kept>["index"]["change"] = async ({ put = [], remove = [], since }) => {
    for (const entry of put) this.kept.set(entry.id, entry);
    for (const id of remove) this.kept.delete(id);
    if (since !== undefined) this.place = since;
  };
}

function boxOf(shelf: Shelf, memory: Memory, more: Partial<BoxOptions<Item, Kept>> = {}): Box<Item, Kept> {
  return new Box<Item, Kept>({
    index: memory as unknown as BoxOptions<Item, Kept>["index"],
    list: shelf.list,
    one: async (id) =>
      shelf.items.get(id) ?? Promise.reject(new Problem("gone", { code: "message-gone", status: 410 })),
    take: async ({ id, word }) => ({ id, word }),
    isFailed: (entry) => entry.isFailed === true,
    onChange: () => undefined,
    ...more,
  });
}

const words = (box: Box<Item, Kept>): Map<string, string> => new Map([...box.all].map(({ id, word }) => [id, word]));
const IDS = Array.from({ length: 9 }, () => newId("msg"));
const step = fc.oneof(
  fc.record({ kind: fc.constant("put" as const), id: fc.constantFrom(...IDS), word: fc.string() }),
  fc.record({ kind: fc.constant("delete" as const), id: fc.constantFrom(...IDS) }),
  fc.record({ kind: fc.constantFrom("read" as const, "reload" as const, "forget" as const) }),
  fc.record({ kind: fc.constant("break" as const), pages: fc.integer({ min: 1, max: 3 }) }),
);

describe("a box", () => {
  test("is what the server has, whatever happened between two readings", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const [shelf, memory] = [new Shelf(), new Memory()];
        let box = boxOf(shelf, memory);
        for (const now of steps) {
          if (now.kind === "put") shelf.put(now.id, now.word);
          else if (now.kind === "delete" && shelf.items.has(now.id)) shelf.put(now.id, "", 1);
          else if (now.kind === "break") shelf.breaksAt = shelf.asked.length + now.pages;
          else if (now.kind === "forget") box.forget();
          else if (now.kind === "reload") await (box = boxOf(shelf, memory)).load();
          else if (now.kind === "read") await box.read().catch(() => undefined);
          if (now.kind === "read") shelf.breaksAt = Infinity;
        }
        shelf.breaksAt = Infinity;
        await box.read();
        expect(words(box)).toEqual(shelf.living);
        expect(new Set(memory.kept.keys())).toEqual(new Set(shelf.living.keys()));
      }),
      { numRuns: 60 },
    );
  });

  test("asks only for what changed since", async () => {
    const [shelf, memory] = [new Shelf(), new Memory()];
    IDS.forEach((id) => shelf.put(id, "one"));
    const box = boxOf(shelf, memory);
    await box.read();
    expect(shelf.asked.every((query) => query["since"] === undefined)).toBe(true);
    shelf.put(IDS[3] ?? "", "two");
    shelf.asked.length = 0;
    await box.read();
    expect(shelf.asked).toEqual([{ limit: 50, since: 9 }]);
    expect(words(box).get(IDS[3] ?? "")).toBe("two");
  });

  test("shows first what was noted as first, then all; what goes meanwhile does not come back", async () => {
    const [shelf, memory] = [new Shelf(), new Memory()];
    IDS.forEach((id) => shelf.put(id, "one"));
    const box = boxOf(shelf, memory);
    await box.read();
    await box.noteFirst(IDS.slice(2, 4));
    const shown: number[] = [];
    const next = boxOf(shelf, memory, { onChange: (entries) => shown.push(entries.size) });
    const loading = next.load();
    await Promise.resolve();
    const going = next.drop(IDS[2] ?? "");
    await Promise.all([loading, going]);
    expect(shown.at(0)).toBe(2);
    expect([...words(next).keys()].sort()).toEqual(IDS.filter((id) => id !== IDS[2]).sort());
  });

  test("knows what the server took from its list without a word from what it said was deleted", async () => {
    const [shelf, memory] = [new Shelf(), new Memory()];
    const [told, silent] = IDS as [string, string];
    [told, silent].forEach((id) => shelf.put(id, "one"));
    const box = boxOf(shelf, memory);
    await box.read();
    shelf.put(told, "", 1);
    await box.read();
    shelf.items.delete(silent);
    box.forget();
    await box.read();
    expect([words(box).size, box.wasListed(told), box.wasListed(silent)]).toEqual([0, true, false]);
  });

  test("does not follow a list without end, nor take what has no message's id", async () => {
    const same = boxOf(new Shelf(), new Memory(), { list: async () => ({ items: [], cursor: "again" }) });
    await expect(same.read()).rejects.toMatchObject({ code: "answer-malformed" });
    const shelf = new Shelf();
    shelf.put("__proto__", "no");
    await expect(boxOf(shelf, new Memory()).read()).rejects.toMatchObject({ code: "answer-malformed" });
  });

  test("tries once more, in the next life of the page, what did not open", async () => {
    const [shelf, memory] = [new Shelf(), new Memory()];
    const [well, bad, gone] = IDS as [string, string, string];
    [well, bad, gone].forEach((id) => shelf.put(id, "fine"));
    const spoilt = async ({ id, word }: Item): Promise<Kept> =>
      id === well ? { id, word } : { id, word: "", isFailed: true };
    await boxOf(shelf, memory, { take: spoilt }).read();
    shelf.items.delete(gone);
    const opened: string[] = [];
    const take = async ({ id, word }: Item): Promise<Kept> => (opened.push(id), { id, word });
    const box = boxOf(shelf, memory, { take });
    await box.load();
    await box.read();
    await box.read();
    expect(opened).toEqual([bad]);
    expect(words(box)).toEqual(new Map([[well, "fine"], [bad, "fine"]])); // prettier-ignore
  });

  test("leaves out what went while it was being opened, and stops at what is the line's fault", async () => {
    const shelf = new Shelf();
    const [one, other] = IDS as [string, string];
    [one, other].forEach((id) => shelf.put(id, "fine"));
    const problem = (code: string) => new Problem(code, { code, status: 410 });
    const take = async ({ id, word }: Item): Promise<Kept> => {
      if (id === one) throw problem("message-gone");
      return { id, word };
    };
    const box = boxOf(shelf, new Memory(), { take });
    await box.read();
    expect([...words(box).keys()]).toEqual([other]);
    const memory = new Memory();
    const cut = boxOf(shelf, memory, { take: async () => Promise.reject(problem("offline")) });
    await expect(cut.read()).rejects.toMatchObject({ code: "offline" });
    expect(memory.place).toBeNull();
  });
});
