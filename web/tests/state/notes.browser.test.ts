import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { unb64 } from "../../src/protocol/encoding";
import { NotesState } from "../../src/state/notes.svelte";
import { SentState } from "../../src/state/sent.svelte";
import { correspondent, homeOf, MailServer, type Correspondent, type Home } from "./mail";

let [ann, bob]: (Correspondent | undefined)[] = [];
let count = 0;
let server: MailServer;
let home: Home;
const posts: Uint8Array[] = [];
const open: NotesState[] = [];

const known = (who: Correspondent | undefined): Correspondent => {
  if (!who) throw new TypeError("not made yet");
  return who;
};
const waits = async (condition: () => boolean) => vi.waitUntil(condition, { timeout: 5000, interval: 5 });
const words = { kind: "text", to: "bob@post.example", text: "Six o’clock?", replyTo: null } as const;

beforeAll(async () => {
  [ann, bob] = await Promise.all(["ann", "bob"].map(correspondent));
});
beforeEach(async () => {
  posts.length = 0;
  server = new MailServer(known(ann), [known(bob)]);
  const { mailFetch } = server;
  Object.assign(server, {
    mailFetch: async (input: string, init: RequestInit) => {
      if (init.method !== "POST" || !input.endsWith("/api/v1/messages") || server.isCut) return mailFetch(input, init);
      posts.push(new Uint8Array(await new Response(init.body ?? null).arrayBuffer()));
      return new Response(JSON.stringify({ id: "x", received_at: 1, state: "stored" }), {
        headers: { "content-type": "application/json" },
      });
    },
  });
  home = await homeOf(known(ann), server, `notes-${++count}-${Date.now()}`);
  const sent = { lastTo: async () => Promise.resolve(null), refresh: () => undefined };
  Object.assign(home.house, { part: (Kind: unknown) => (Kind === SentState ? sent : null) });
});
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

function notes(): NotesState {
  const made = new NotesState(home.house);
  open.push(made);
  return made;
}

/** One part of a form: what stands between its head and the next boundary. */
function partOf(body: Uint8Array, name: string): Uint8Array {
  const text = Array.from(body, (byte) => String.fromCharCode(byte)).join("");
  const begins = text.indexOf("\r\n\r\n", text.indexOf(`name="${name}"`)) + 4;
  return body.subarray(begins, text.indexOf("\r\n--restante-", begins));
}

test("words arrive as they were written, with what they answer, and are signed", async () => {
  await notes().write({ ...words, replyTo: "msg_aaaaaaaaaaaaaaaaaaaaaaaaaa" });
  await waits(() => posts.length === 1);
  const body = posts[0] ?? new Uint8Array(0);
  const { crypto } = known(bob);
  await crypto.meet(known(ann).acct, [unb64(known(ann).record)], null, Date.now());
  const opened = await crypto.openEnvelope(partOf(body, "envelope:bob"), Date.now());
  expect(opened.fields.from?.acct).toBe("ann@post.example");
  expect(opened.fields.reply_to).toBe("msg_aaaaaaaaaaaaaaaaaaaaaaaaaa");
  const { key, details } = opened.fields;
  const read = await crypto.openDetails(partOf(body, "details"), key, { sha256: details, kind: opened.kind });
  expect(read.text).toBe("Six o’clock?");
});

test("words written without a network leave later, once, also from another life of the page", async () => {
  server.isCut = true;
  const first = notes();
  await first.write(words);
  expect(first.going.map(({ text }) => text)).toEqual(["Six o’clock?"]);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(posts).toEqual([]);
  const second = notes();
  await waits(() => second.going.length === 1);
  server.isCut = false;
  home.tell({ kind: "connected" });
  await waits(() => posts.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(posts.length).toBe(1);
  const third = notes();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(third.going).toEqual([]);
});

test("words for nobody stay, with the reason, until they are given up", async () => {
  const state = notes();
  await state.write({ ...words, to: "zoe@post.example" });
  await waits(() => state.failures.size === 1);
  const [note] = state.going;
  expect(note?.text).toBe("Six o’clock?");
  await state.drop(note?.id ?? "");
  expect([state.going.length, state.failures.size, notes().going.length]).toEqual([0, 0, 0]);
});
