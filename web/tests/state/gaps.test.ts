import { expect, test } from "vitest";
import { Gaps, type GapTools } from "../../src/state/gaps";
import type { Letter } from "../../src/state/letters";

const letter = (id: string, prev?: string): Letter =>
  ({ id, content: { caption: "", ...(prev !== undefined && { prev }) } }) as unknown as Letter;

/** `received` are ids of shards that the server has; they are known once their shard was taken. */
function tools(received: Readonly<Record<string, readonly string[]>>): { tools: GapTools; taken: string[] } {
  const taken: string[] = [];
  const api = {
    get: () => Promise.resolve({ items: Object.keys(received).map((shard) => ({ shard, version: "1" })) }),
  };
  const crypto = { wasReceived: (id: string) => Promise.resolve(taken.some((name) => received[name]?.includes(id))) };
  const shards = { need: (name: string) => Promise.resolve(void taken.push(name)) };
  return { tools: { api, crypto, shards } as unknown as GapTools, taken };
}

test("a letter after one that was listed, or received in any month, follows no gap", async () => {
  const { tools: given } = tools({ contacts: ["c"], "seen-2024-03": ["old"], "seen-2026-11-2": ["new"] });
  const letters = [
    letter("1", "listed"),
    letter("2", "old"),
    letter("3", "new"),
    letter("4", "never"),
    letter("5", "c"),
  ];
  const whole = await new Gaps(given).whole(letters, (id) => id === "listed");
  expect(whole.map(({ id }) => id)).toEqual(["1", "2", "3"]);
});

test("nothing is fetched while nothing seems to be missing", async () => {
  const { tools: given, taken } = tools({ "seen-2026-11": [] });
  await new Gaps(given).whole([letter("1", "listed"), letter("2")], () => true);
  expect(taken).toEqual([]);
});

test("what could not be fetched is fetched the next time", async () => {
  const { tools: given } = tools({ "seen-2026-11": ["old"] });
  const { get } = given.api;
  given.api.get = () => Promise.reject(new Error("away"));
  const gaps = new Gaps(given);
  await expect(gaps.whole([letter("1", "old")], () => false)).rejects.toThrow("away");
  given.api.get = get;
  expect(await gaps.whole([letter("1", "old")], () => false)).toHaveLength(1);
});
