import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { b64, unb64 } from "../../src/protocol/encoding";
import { InboxState } from "../../src/state/inbox.svelte";
import { UNDO_MS } from "../../src/state/undo";
import { correspondent, homeOf, letterOf, MailServer, type Correspondent, type Home } from "./mail";

let [ann, bob, mallory]: (Correspondent | undefined)[] = [];
let count = 0;
let server: MailServer;
let home: Home;
const open: InboxState[] = [];

const known = (who: Correspondent | undefined): Correspondent => {
  if (!who) throw new TypeError("not made yet");
  return who;
};
const letter = async (caption: string, from = bob) => letterOf(known(from), known(ann), caption);

async function inbox(at = home): Promise<InboxState> {
  const made = new InboxState(at.house);
  open.push(made);
  await made.loaded;
  return made;
}
const captions = (state: InboxState) => state.letters.map(({ content, code }) => content?.caption ?? code);
const waits = async (condition: () => boolean) => vi.waitUntil(condition, { timeout: 5000, interval: 5 });

beforeAll(async () => {
  [ann, bob, mallory] = await Promise.all(["ann", "bob", "mallory"].map(correspondent));
});
beforeEach(async () => {
  server = new MailServer(known(ann), [known(bob), known(mallory)]);
  home = await homeOf(known(ann), server, `inbox-${++count}-${Date.now()}`);
});
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

test("a letter is opened, its sender met and told, its picture and place kept for next time", async () => {
  server.deliver(await letter("Hello"));
  const first = await inbox();
  await waits(() => server.marks.length > 0);
  expect(captions(first)).toEqual(["Hello"]);
  expect(first.letters[0]).toMatchObject({ from: "bob@post.example", playedAt: null, code: null });
  expect(home.house.waiting).toBe(1);
  expect(server.marks).toEqual([`fetched ${first.letters[0]?.id}`]);
  expect(home.house.people.list.map((person) => person.account)).toEqual(["bob"]);
  server.isCut = true;
  const later = await inbox();
  expect(captions(later)).toEqual(["Hello"]);
  await waits(() => later.phase.kind === "offline" && later.posters.url(later.letters[0]?.id ?? "") !== null);
  server.isCut = false;
  await waits(() => later.phase.kind === "ready");
});

test("what arrives while the page is open is shown and said", async () => {
  const state = await inbox();
  await waits(() => state.phase.kind === "ready");
  expect(state.arrived).toBeNull();
  const news = await letter("News");
  server.deliver(news);
  home.tell({ kind: "message", id: news.id });
  await waits(() => state.letters.length === 1);
  expect(state.arrived?.id).toBe(news.id);
});

test("played is told once, also when the network was away", async () => {
  server.deliver(await letter("Play me"));
  const state = await inbox();
  await waits(() => server.marks.length === 1);
  const { id = "" } = state.letters[0] ?? {};
  server.isCut = true;
  await expect(state.played(id)).rejects.toMatchObject({ code: "offline" });
  expect(state.letters[0]?.playedAt).not.toBeNull();
  expect(home.house.waiting).toBe(0);
  server.isCut = false;
  home.tell({ kind: "connected" });
  await waits(() => server.marks.length === 2);
  await state.played(id);
  expect(server.marks.at(-1)).toBe(`played ${id}`);
});

test.each([
  ["details-swapped", (id: string) => server.details.set(id, b64(new Uint8Array(500)))],
  ["envelope-damaged", (id: string) => spoil(id, -1)],
  ["message-mislabelled", (id: string) => mislabel(id)],
])(
  "a message that is %s is listed with its reason, and is tried again in the next life of the page",
  async (code, harm) => {
    const fine = await letter("Fine");
    server.deliver(fine);
    const { envelope } = server.inbox.get(fine.id) ?? {};
    const details = server.details.get(fine.id) ?? "";
    harm(fine.id);
    const state = await inbox();
    await waits(() => state.phase.kind === "ready");
    expect(captions(state)).toEqual([code]);
    expect(state.letters[0]?.from).toBeNull();
    expect(server.marks).toEqual([]);
    const [listed] = [...server.inbox.values()];
    server.details.set(listed?.id ?? "", details);
    if (listed && envelope) server.inbox.set(fine.id, { ...listed, id: fine.id, envelope });
    if (code === "message-mislabelled") return;
    const next = await inbox();
    await waits(() => next.phase.kind === "ready" && captions(next)[0] === "Fine");
  },
);

test("an envelope that says it is from somebody else is refused", async () => {
  const forged = await letter("I am Bob", mallory);
  server.accounts.set("mallory", server.accounts.get("bob") ?? { records: [], unlock: [] });
  server.deliver(forged, { sender: "mallory" });
  const state = await inbox();
  await waits(() => state.phase.kind === "ready");
  expect(captions(state)[0]).toMatch(/^(wrong-signer|record-other-account)$/);
});

test("a deletion waits until it can no longer be taken back", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"], shouldAdvanceTime: true });
  try {
    server.deliver(await letter("One"));
    const state = await inbox();
    await waits(() => server.marks.length === 1);
    const { id = "" } = state.letters[0] ?? {};
    state.delete(id);
    expect([state.letters.length, state.deleted?.id]).toEqual([0, id]);
    state.undo();
    expect([state.letters.length, state.deleted]).toEqual([1, null]);
    await vi.advanceTimersByTimeAsync(UNDO_MS + 100);
    expect(server.deletions).toEqual([]);
    state.delete(id);
    await vi.advanceTimersByTimeAsync(UNDO_MS + 100);
    await waits(() => server.deletions.length === 1);
    expect(state.letters).toEqual([]);
  } finally {
    vi.useRealTimers();
  }
});

test("a page that is left asks for the deletion at once; without a network it is asked for later", async () => {
  server.deliver(await letter("One"));
  server.deliver(await letter("Two"));
  const state = await inbox();
  await waits(() => server.marks.length === 2);
  const [first, second] = state.letters.map(({ id }) => id);
  state.delete(first ?? "");
  dispatchEvent(new Event("pagehide"));
  await waits(() => server.deletions.includes(first ?? ""));
  server.isCut = true;
  state.delete(second ?? "");
  state.close();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const next = await inbox();
  expect(next.letters).toEqual([]);
  server.isCut = false;
  home.tell({ kind: "connected" });
  await waits(() => server.deletions.includes(second ?? ""));
});

test("a page that was killed leaves the deletion to the next one", async () => {
  server.deliver(await letter("One"));
  const killed = await inbox();
  await waits(() => server.marks.length === 1);
  killed.delete(killed.letters[0]?.id ?? "");
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(server.deletions).toEqual([]);
  const next = await inbox();
  expect(next.letters).toEqual([]);
  await waits(() => server.deletions.length === 1);
});

function spoil(id: string, place: number): void {
  const item = server.inbox.get(id);
  const bytes = unb64(item?.envelope ?? "");
  const at = bytes.length + place;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  if (item) server.inbox.set(id, { ...item, envelope: b64(bytes) });
}

function mislabel(id: string): void {
  const item = server.inbox.get(id);
  const other = `${id.slice(0, -1)}${id.endsWith("a") ? "e" : "a"}`;
  server.inbox.delete(id);
  server.details.set(other, server.details.get(id) ?? "");
  if (item) server.inbox.set(other, { ...item, id: other });
}
