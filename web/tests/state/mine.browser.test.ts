// What is the owner's own: everything as one file, and cleaning up; over sealed mail and a network that can be cut.

import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { newMessageKey } from "../../src/crypto/video";
import { newId } from "../../src/protocol/ids";
import { unb64, utf8 } from "../../src/protocol/encoding";
import { Exporting } from "../../src/state/exporting.svelte";
import { InboxState } from "../../src/state/inbox.svelte";
import { Mine } from "../../src/state/mine.svelte";
import { Shelf } from "../../src/state/shelf.svelte";
import { UNDO_MS } from "../../src/state/undo";
import { dropArchives, openArchive, type Archive } from "../../src/storage/archive";
import { StorageError } from "../../src/storage/errors";
import { correspondent, homeOf, letterOf, MailServer, type Correspondent, type Home } from "./mail";

let [ann, bob]: Correspondent[] = [];
let server: MailServer;
let home: Home;
let count = 0;
let made: InMemory;

const json = (value: unknown): Response =>
  new Response(JSON.stringify(value), { headers: { "content-type": "application/json" } });
const until = async (condition: () => boolean) => vi.waitUntil(condition, { timeout: 15_000, interval: 10 });

/** A place for a file that keeps it in memory. */
class InMemory {
  readonly pieces: Uint8Array<ArrayBuffer>[] = [];
  isFinished = false;
  isDropped = false;

  readonly open = (): Promise<Archive> => {
    const writable = new WritableStream<Uint8Array>({
      write: (piece) => void this.pieces.push(piece.slice()),
      abort: () => void (this.isDropped = true),
    });
    return Promise.resolve({ writable, finish: () => Promise.resolve(void (this.isFinished = true)) });
  };

  /** The files by their names, as the list at the end of a zip has them; nothing in it is compressed. */
  async files(): Promise<Map<string, string>> {
    const bytes = new Uint8Array(await new Blob(this.pieces).arrayBuffer());
    const view = new DataView(bytes.buffer);
    const found = new Map<string, string>();
    const read = (from: number, length: number): string =>
      new TextDecoder().decode(bytes.subarray(from, from + length));
    for (let at = 0; at < bytes.length - 46; at++) {
      if (view.getUint32(at, true) !== 0x02014b50) continue;
      const [size, nameBytes, begin] = [
        view.getUint32(at + 24, true),
        view.getUint16(at + 28, true),
        view.getUint32(at + 42, true),
      ];
      const content = begin + 30 + view.getUint16(begin + 26, true) + view.getUint16(begin + 28, true);
      found.set(read(at + 46, nameBytes), read(content, size));
    }
    return found;
  }
}

/** Words, which need no video. */
async function wordsOf(text: string) {
  if (!ann || !bob) throw new TypeError("not made yet");
  await bob.crypto.meet(ann.acct, [unb64(ann.record)], null, Date.now());
  const id = newId("msg");
  const wanted = { id, kind: "text" as const, createdMs: Date.now(), messageKey: newMessageKey(), details: { text } };
  return { id, ...(await bob.crypto.composeMessage(wanted, [unb64(ann.record)])) };
}

beforeAll(async () => {
  [ann, bob] = await Promise.all(["ann", "bob"].map(correspondent));
});

beforeEach(async () => {
  if (!ann || !bob) throw new TypeError("not made yet");
  server = new MailServer(ann, [bob]);
  server.put("account/keyring", utf8("sealed keyring"));
  const mail = server.mailFetch;
  const rest: Record<string, unknown> = {
    "/api/v1/sent": { items: [], cursor: null },
    "/api/v1/account/known": { name: "ann" },
    "/api/v1/account/audit": { items: [], more: false },
    "/api/v1/account/storage": { received_bytes: 1, sent_bytes: 2, unsent_bytes: 3, received: [], sent: [] },
  };
  Object.assign(server, {
    mailFetch: async (input: string, init: RequestInit) => {
      const found = rest[new URL(input, "http://server.test").pathname];
      return found === undefined || server.isCut ? mail(input, init) : json(found);
    },
  });
  home = await homeOf(ann, server, `mine-${++count}-${Date.now()}`);
  vi.spyOn(globalThis, "fetch").mockImplementation(() => Promise.resolve(new Response("none of it", { status: 206, headers: { "content-range": "bytes 0-9/10" } }))); // prettier-ignore
  made = new InMemory();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test("each message has a folder of its own, and what belongs to none stands beside them", async () => {
  const [first, second] = [await wordsOf("one"), await wordsOf("two")];
  server.deliver(first, { kind: "text" });
  server.deliver(second, { kind: "text" });
  server.deliver(await wordsOf("gone"), { deleted_at: 1 });
  const exporting = new Exporting(home.house, made.open);
  await exporting.start(({ id, from, caption, video }) => `${id} ${from} ${caption} ${video}`);
  expect(exporting.phase).toEqual({ kind: "done", written: 2, unwritten: [] });
  const files = await made.files();
  const folders = new Set([...files.keys()].map((name) => name.split("/")[0]));
  expect(folders).toEqual(new Set(["account", first.id, second.id]));
  expect(files.get(`${first.id}/README.txt`)).toBe(`${first.id} bob@post.example one no`);
  expect(files.get(`${first.id}/key.txt`)).toContain("AGE-SECRET-KEY-1");
  expect(files.get(`${first.id}/details.age`)).toContain("age-encryption.org/v1");
  expect(files.get(`${first.id}/envelope.signed`)).toMatch(/^restante\/1 envelope\n/u);
  expect(files.get("account/keyring.age")).toBe("sealed keyring");
  expect(Object.keys(JSON.parse(files.get("account/contacts.json") ?? "") as object)).toEqual(["bob@post.example"]);
  expect(JSON.parse(files.get("account/ways.json") ?? "")).toMatchObject({ acct: "ann@post.example" });
  expect(made.isFinished).toBe(true);
});

test("what does not verify is named, and keeps nothing else from being written", async () => {
  if (!ann || !bob) throw new TypeError("not made yet");
  const [good, film, spoilt] = [await wordsOf("good"), await letterOf(bob, ann, "film"), await wordsOf("spoilt")];
  server.deliver(good, { kind: "text" });
  server.deliver(film); // its video is none of what was signed
  server.deliver({ ...spoilt, envelopes: good.envelopes }, { kind: "text" });
  const exporting = new Exporting(home.house, made.open);
  await exporting.start(() => "");
  const unwritten = [
    { id: film.id, code: "video-cut-off" },
    { id: spoilt.id, code: "message-mislabelled" },
  ];
  expect(exporting.phase).toMatchObject({ kind: "done", written: 1 });
  expect(exporting.phase.kind === "done" && [...exporting.phase.unwritten]).toEqual(expect.arrayContaining(unwritten));
  const files = await made.files();
  expect([...files.keys()].filter((name) => name.startsWith(film.id))).toEqual([]);
  expect(files.get("account/not-exported.json")).toContain(film.id);
});

test("without a network it waits, and goes on by itself", async () => {
  server.deliver(await wordsOf("one"), { kind: "text" });
  server.isCut = true;
  const exporting = new Exporting(home.house, made.open);
  const done = exporting.start(() => "");
  await until(() => exporting.isHeld);
  server.isCut = false;
  await done;
  expect([exporting.phase, exporting.isHeld]).toEqual([{ kind: "done", written: 1, unwritten: [] }, false]);
});

test("stopped, it leaves nothing; so does a place that nobody chose, and one that is full says so", async () => {
  server.deliver(await wordsOf("one"), { kind: "text" });
  server.isCut = true;
  const exporting = new Exporting(home.house, made.open);
  const done = exporting.start(() => "");
  await until(() => exporting.isHeld);
  exporting.stop();
  await done;
  expect([exporting.phase, made.isFinished, made.isDropped]).toEqual([{ kind: "idle" }, false, true]);
  const closed = new Exporting(home.house, () => Promise.reject(new DOMException("closed", "AbortError")));
  await closed.start(() => "");
  expect(closed.phase).toEqual({ kind: "idle" });
  const full = new Exporting(home.house, () => Promise.reject(new StorageError("device-full")));
  await full.start(() => "");
  expect(full.phase).toEqual({ kind: "failed", failure: { code: "device-full" } });
});

test("where no place can be chosen it is handed over as a download, one at a time, and what was left behind goes", async () => {
  vi.stubGlobal("showSaveFilePicker", undefined);
  const given: [string, string][] = [];
  const give = (file: Blob, name: string): void => void file.text().then((text) => given.push([name, text]));
  const archive = await openArchive("all.zip", give);
  await expect(openArchive("other.zip", give)).rejects.toMatchObject({ code: "busy" });
  const writer = archive.writable.getWriter();
  await writer.write(utf8("zip"));
  await writer.close();
  await archive.finish();
  await until(() => given.length === 1);
  expect(given).toEqual([["all.zip", "zip"]]);
  await dropArchives(); // another tab's start: what is being handed over stays
  const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("archives");
  expect((await (await folder.getFileHandle("archive.zip")).getFile()).size).toBe(3);
  vi.unstubAllGlobals();
});

test("what was watched goes together, unless it is brought back; what is kept stays", async () => {
  if (!ann || !bob) throw new TypeError("not made yet");
  const letters = [await letterOf(bob, ann, "old"), await letterOf(bob, ann, "kept"), await letterOf(bob, ann, "new")];
  const [old, kept, fresh] = letters;
  if (!old || !kept || !fresh) throw new TypeError("not made yet");
  server.deliver(old, { fetched_at: 1, played_at: 5 });
  server.deliver(kept, { fetched_at: 1, played_at: 5 });
  server.deliver(fresh);
  const mine = home.house.part(Mine);
  const inbox = home.house.part(InboxState);
  inbox.refresh();
  await until(() => inbox.letters.length === 3 && inbox.phase.kind === "ready");
  expect(new Set(mine.watchedBefore(10).ids)).toEqual(new Set([old.id, kept.id]));
  expect([mine.watchedBefore(4).ids, mine.watchedBefore(10).bytes]).toEqual([[], 2000]);
  const letter = inbox.letter(kept.id);
  if (letter) await home.house.part(Shelf).mark(letter, { kept: true });
  expect(mine.watchedBefore(10).ids).toEqual([old.id]);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  mine.clean(mine.watchedBefore(10));
  expect(mine.cleaning).toEqual({ kind: "thinking", count: 1 });
  mine.undo();
  await vi.advanceTimersByTimeAsync(2 * UNDO_MS);
  expect([mine.cleaning.kind, server.deletions]).toEqual(["idle", []]);
  mine.clean(mine.watchedBefore(10));
  await vi.advanceTimersByTimeAsync(UNDO_MS);
  vi.useRealTimers();
  await until(() => mine.cleaning.kind === "done");
  expect(server.deletions).toEqual([old.id]);
  mine.close();
});
