import { expect, test } from "vitest";
import { emptyContent, type DraftContent } from "../../src/storage/drafts";
import { Bringing, type DraftChanger } from "../../src/take/bringing";
import { TusServer } from "../transfer/tus-server";

const KIB = 1024;
const calm = { baseMs: 1, capMs: 1, random: () => 0, sleep: () => Promise.resolve() };
const film = Uint8Array.from({ length: 300 * KIB }, (_, at) => (at * 31 + (at >> 8)) & 0xff);
const source = { read: (at: number, length: number) => Promise.resolve(film.slice(at, at + length)) };

class OneDraft implements DraftChanger {
  content: DraftContent = emptyContent("AGE-SECRET-KEY-1X");
  change(_: string, change: (content: DraftContent) => Partial<DraftContent>): Promise<{ content: DraftContent }> {
    this.content = { ...this.content, ...change(this.content) };
    return Promise.resolve({ content: this.content });
  }
}

function begun(server: TusServer, draft: OneDraft) {
  const troubles: (string | null)[] = [];
  const stored: number[] = [];
  const news = {
    onStored: (bytes: number) => void stored.push(bytes),
    onTrouble: (code: string | null) => void troubles.push(code),
  };
  const options = { id: "msg_a", drafts: draft, source, news, upload: draft.content.upload };
  return { bringing: new Bringing({ ...options, fetch: server.fetch, waiting: calm }), troubles, stored };
}

test("an upload is written into the draft before its first byte, and that it is stored after its last", async () => {
  const server = new TusServer();
  const draft = new OneDraft();
  const { bringing, stored } = begun(server, draft);
  await expect.poll(() => draft.content.upload).not.toBeNull();
  expect(draft.content.isStored).toBe(false);
  bringing.finish(film.length);
  await bringing.done;
  expect(draft.content.isStored).toBe(true);
  expect(server.isFinished(draft.content.upload?.id ?? "")).toBe(true);
  expect(stored.at(-1)).toBe(film.length);
});

test("the same bytes go to a new upload when the server lost the old one, and an old request is forgotten", async () => {
  const server = new TusServer();
  const draft = new OneDraft();
  const first = begun(server, draft);
  first.bringing.offer(200 * KIB);
  await expect.poll(() => first.stored.at(-1) ?? 0).toBeGreaterThan(0);
  first.bringing.close();
  const old = draft.content.upload?.id ?? "";
  server.lose(old);
  draft.content.request = { idempotencyKey: "k", upload: old, message: "", details: "", envelopes: {}, sent: "" };
  const second = begun(server, draft);
  second.bringing.finish(film.length);
  await second.bringing.done;
  const fresh = draft.content.upload?.id ?? "";
  expect(fresh).not.toBe(old);
  expect(Buffer.compare(server.bytesOf(fresh), film)).toBe(0);
  expect(draft.content).toMatchObject({ isStored: true, request: null });
});

test("whatever keeps an upload from beginning is told and waited out", async () => {
  const server = new TusServer();
  const draft = new OneDraft();
  const refusals = ["too-many-uploads", "not-signed-in", "storage-full"];
  const { fetch } = server;
  const refusing: typeof fetch = (url, init) => {
    const code = init.method === "POST" ? refusals.shift() : undefined;
    if (code === undefined) return fetch(url, init);
    return Promise.resolve(new Response(JSON.stringify({ code, status: 429 }), { status: 429 }));
  };
  const troubles: (string | null)[] = [];
  const news = { onStored: () => undefined, onTrouble: (code: string | null) => void troubles.push(code) };
  const bringing = new Bringing({ id: "msg_a", drafts: draft, source, news, fetch: refusing, waiting: calm });
  bringing.finish(film.length);
  await bringing.done;
  expect(troubles.slice(0, 4)).toEqual(["too-many-uploads", "not-signed-in", "storage-full", null]);
});

test("a server that claims bytes never sent gets a new upload each time, and keeps none of the old ones", async () => {
  const server = new TusServer();
  const draft = new OneDraft();
  const made: string[] = [];
  const ended: string[] = [];
  let lies = 7;
  const lying: typeof server.fetch = async (url, init) => {
    const answer = await server.fetch(url, init);
    if (init.method === "POST") made.push((answer.headers.get("location") ?? "").split("/").at(-1) ?? "");
    if (init.method === "DELETE") ended.push(url.split("/").at(-1) ?? "");
    if (init.method !== "PATCH" || lies === 0) return answer;
    lies -= 1;
    return new Response(null, { status: 204, headers: { "upload-offset": "99999999" } });
  };
  const news = { onStored: () => undefined, onTrouble: () => undefined };
  const bringing = new Bringing({ id: "msg_a", drafts: draft, source, news, fetch: lying, waiting: calm });
  bringing.finish(film.length);
  await bringing.done;
  expect(made).toHaveLength(8);
  expect(ended).toEqual(made.slice(0, 7));
  expect(Buffer.compare(server.bytesOf(made[7] ?? ""), film)).toBe(0);
});
