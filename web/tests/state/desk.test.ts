import { expect, test } from "vitest";
import { DeskPlansState } from "../../src/state/desk-plans.svelte";
import { DeskState } from "../../src/state/desk.svelte";
import { DeskPeopleState, DeskRecordState, DeskWorkState } from "../../src/state/desk-lists.svelte";
import { EntranceState, type DeskDoor } from "../../src/state/entrance.svelte";
import { switchesReason } from "../../src/screens/desk/entrance-words";
import type { House } from "../../src/state/house.svelte";
import { Problem } from "../../src/transfer/problem";

type Asked = [method: string, path: string, ...rest: unknown[]];
type Answer = (path: string, extras: { query?: Record<string, string> }) => unknown;

function house(answer: Answer): { tools: House; asked: Asked[] } {
  const asked: Asked[] = [];
  const send =
    (method: string) =>
    async (path: string, ...rest: [unknown?, unknown?]) => {
      asked.push([method, path, ...rest]);
      return await Promise.resolve(answer(path, (rest[0] ?? {}) as { query?: Record<string, string> }));
    };
  const api = { get: send("get"), post: send("post"), put: send("put"), delete: send("delete") };
  const run = (action: () => Promise<unknown>, about: string): Promise<unknown> => {
    asked.push(["verify", about]);
    return action();
  };
  const part = (): unknown => ({ run });
  return { tools: { api, part, signal: new AbortController().signal } as unknown as House, asked };
}

const refuse = (code: string, status: number): never => {
  throw new Problem("gone", { code, status });
};
const DOOR: DeskDoor = {
  ...{ what: "country", name: "FR", phase: "beta", opens_at: null, open: false, text: {}, cohort: 0 },
  ...{ switched: true, written: "later" },
};

test("a draft is looked at as people would see it before it is put in force", async () => {
  const { tools, asked } = house((path) => {
    if (path.endsWith("/preview")) return { items: [] };
    if (path.endsWith("/availability")) return { items: [DOOR], by_file: true, exceptions: 0 };
    return { items: [], places: [], more: false };
  });
  const entrance = new EntranceState(tools);
  await entrance.look();
  const standing = { doors: [DOOR], working: false };
  const reason = (): string | undefined =>
    switchesReason({ ...standing, draft: entrance.draft, preview: entrance.preview });
  expect(entrance.draft).toEqual([{ what: "country", name: "FR", phase: "beta", opens_at: null }]);
  expect(reason()).toMatch(/in force already/);
  entrance.set("platform", "linux", { phase: "open", opens_at: null });
  expect(reason()).toMatch(/would see first/);
  await entrance.show();
  expect(reason()).toBeUndefined();
  entrance.set("country", "FR", null);
  expect(reason()).toMatch(/would see first/);
  await entrance.show();
  await entrance.apply();
  const items = [{ what: "platform", name: "linux", phase: "open", opens_at: null }];
  expect(asked.filter(([method]) => method === "put")).toEqual([["put", "/api/v1/operator/availability", { items }]]);
});

test("an invite's code is shown once, and what fails says why", async () => {
  let fails = false;
  const { tools } = house((path) => {
    if (fails) refuse("not-available-yet", 403);
    return path.endsWith("/invites") ? { items: [], code: "abcd" } : { items: [], places: [], more: false };
  });
  const entrance = new EntranceState(tools);
  await entrance.make("for Bob", 2);
  expect(entrance.code).toBe("abcd");
  fails = true;
  await entrance.invite(1);
  expect(entrance.failure?.code).toBe("not-available-yet");
});

test.each([
  ["desk", (tools: House) => new EntranceState(tools).make("", 1)],
  ["desk", (tools: House) => new DeskWorkState(tools).retry("push")],
  ["desk", (tools: House) => new DeskPlansState(tools).end("grant")],
  ["desk", (tools: House) => new DeskState(tools).decide("rep_1", "dismiss", "")],
  ["look", (tools: House) => new DeskState(tools).open("rep_1")],
])("who this is is asked with the words for it: %s", async (about, act) => {
  const { tools, asked } = house(() => refuse("closed", 403));
  await act(tools);
  expect(asked[0]).toEqual(["verify", about]);
});

test("people are listed page by page, and the last question counts", async () => {
  const { tools } = house((_, { query }) =>
    query?.["like"] === "z" ? { items: [], more: false } : { items: [{ name: `a${query?.["after"]}` }], more: true },
  );
  const people = new DeskPeopleState(tools);
  await people.look();
  await people.further();
  expect(people.phase).toEqual({ kind: "ready", desk: { items: [{ name: "a" }, { name: "aa" }], more: true } });
  await Promise.all([people.look("a"), people.look("z")]);
  expect(people.phase).toEqual({ kind: "ready", desk: { items: [], more: false } });
});

test("the record goes back line by line, and work is tried again by its kind", async () => {
  const { tools, asked } = house((path, { query }) =>
    path.endsWith("/acts")
      ? { items: [{ seq: Number(query?.["before"] ?? 3) - 1 }], whole: true, more: true }
      : { items: [] },
  );
  const record = new DeskRecordState(tools);
  await record.look();
  await record.look(true);
  expect(record.phase.kind === "ready" && record.phase.desk.items.map(({ seq }) => seq)).toEqual([2, 1]);
  const work = new DeskWorkState(tools);
  await work.retry("push");
  expect(asked.at(-1)).toEqual(["post", "/api/v1/operator/work", { kind: "push" }]);
  expect(work.phase).toEqual({ kind: "ready", desk: [] });
});

test.each([
  ["not-found", "closed"],
  ["offline", "offline"],
  ["passkey-needed", "failed"],
])("who is refused is told: %s", async (code, kind) => {
  const { tools } = house(() => refuse(code, 403));
  const pages = [
    new DeskPeopleState(tools),
    new DeskRecordState(tools),
    new DeskWorkState(tools),
    new EntranceState(tools),
  ];
  for (const page of pages) {
    await page.look();
    expect(page.phase.kind).toBe(kind);
  }
});
