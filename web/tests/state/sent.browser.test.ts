import { beforeAll, expect, test, vi } from "vitest";
import type { ComposedMessage } from "../../src/crypto/service";
import { SentState } from "../../src/state/sent.svelte";
import { UNDO_MS } from "../../src/state/undo";
import { correspondent, homeOf, letterOf, MailServer, type Correspondent } from "./mail";

let people: Correspondent[] = [];
let mail: (ComposedMessage & { id: string }) | null = null;
const waits = async (condition: () => boolean) => vi.waitUntil(condition, { timeout: 5000, interval: 5 });

beforeAll(async () => {
  people = await Promise.all(["ann", "bob"].map(correspondent));
});

async function sentBox(name: string): Promise<{ state: SentState; deletions: string[] }> {
  const [ann, bob] = people;
  if (!ann || !bob) throw new TypeError("not made yet");
  mail ??= await letterOf(ann, bob, "Too early");
  const { id, sent: envelope, details } = mail;
  const server = new MailServer(ann, [bob]);
  const deletions: string[] = [];
  const delivery = { recipient: "bob", fetched_at: null, played_at: null, deleted_at: null };
  const item = { id, kind: "video", received_at: 1, video_bytes: 1, change: 1, deleted_at: null, envelope };
  const { mailFetch } = server;
  server.details.set(id, details);
  Object.assign(server, {
    mailFetch: async (input: string, init: RequestInit) => {
      if (init.method === "DELETE") deletions.push(input);
      if (!input.includes("/api/v1/sent")) return mailFetch(input, init);
      const items = deletions.length > 0 ? [] : [{ ...item, deliveries: [delivery], expires_at: null }];
      return new Response(JSON.stringify({ items, cursor: null }));
    },
  });
  const { house } = await homeOf(ann, server, `${name}-${Date.now()}`);
  const state = new SentState(house);
  await waits(() => state.letters.length === 1);
  return { state, deletions };
}

test("what is taken back can be left to them for ten seconds; then everybody's copy is asked to be deleted", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"], shouldAdvanceTime: true });
  try {
    const { state, deletions } = await sentBox("sent");
    const id = state.letters[0]?.id ?? "";
    state.takeBack(id);
    expect([state.letters.length, state.taken?.id]).toEqual([0, id]);
    await vi.advanceTimersByTimeAsync(UNDO_MS - 500);
    state.undo();
    await vi.advanceTimersByTimeAsync(UNDO_MS);
    expect([state.letters.length, state.taken, deletions]).toEqual([1, null, []]);
    state.takeBack(id);
    await vi.advanceTimersByTimeAsync(UNDO_MS + 100);
    await waits(() => deletions.length === 1);
    expect(deletions).toEqual([`/api/v1/messages/${id}?for=everyone`]);
    state.close();
  } finally {
    vi.useRealTimers();
  }
});

test("a page that is left asks at once", async () => {
  const { state, deletions } = await sentBox("left");
  state.takeBack(state.letters[0]?.id ?? "");
  dispatchEvent(new Event("pagehide"));
  await waits(() => deletions.length === 1);
  state.close();
});
