// One message being watched: opened from sealed mail and a sealed video, over a network that can be cut, in a real browser.

import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { Details } from "../../src/crypto/service";
import { newMessageKey, openVideo, PartHasher, sealVideo } from "../../src/crypto/video";
import { describeVideo } from "../../src/crypto/parts";
import { newId } from "../../src/protocol/ids";
import { unb64 } from "../../src/protocol/encoding";
import { InboxState } from "../../src/state/inbox.svelte";
import { Keeping } from "../../src/state/keeping.svelte";
import { LeftOff } from "../../src/state/left-off";
import { Parts } from "../../src/state/parts";
import type { House } from "../../src/state/house.svelte";
import { WatchingState } from "../../src/state/watching.svelte";
import { realFilm } from "../media/real-film";
import { correspondent, homeOf, MailServer, type Correspondent, type Home } from "./mail";

const SECONDS = 12;
const CAPTIONS = "WEBVTT\n\n00:01.000 --> 00:02.000\nThe goats are <b>back</b>\n";
let [ann, bob]: Correspondent[] = [];
let film: Uint8Array<ArrayBuffer>;
let server: MailServer;
let home: Home;
let parts: Parts<House>;
let watching: WatchingState | null = null;
/** Encrypted videos as the server has them; how it answers when asked. */
let videos: Map<string, Uint8Array<ArrayBuffer>>;
let asked: string[];
let answer: "well" | "cut" | "gone";
let element: HTMLVideoElement;
let count = 0;

const until = async (condition: () => boolean) => vi.waitUntil(condition, { timeout: 15_000, interval: 10 });

beforeAll(async () => {
  [ann, bob] = await Promise.all(["ann", "bob"].map(correspondent));
  // Several parts.
  film = await realFilm(SECONDS, 1_000_000);
});

beforeEach(async () => {
  if (!ann || !bob) throw new TypeError("not made yet");
  server = new MailServer(ann, [bob]);
  home = await homeOf(ann, server, `watching-${++count}-${Date.now()}`);
  [videos, asked, answer] = [new Map(), [], "well"];
  Object.assign(home.house, { part: (Kind: never) => parts.of(Kind) });
  Object.assign(home.house.crypto, { openVideo: async (...given: Parameters<typeof openVideo>) => Object.assign(await openVideo(...given), { close: () => undefined }) }); // prettier-ignore
  parts = new Parts(home.house);
  vi.spyOn(globalThis, "fetch").mockImplementation(fetchVideo);
  element = document.body.appendChild(document.createElement("video"));
  element.muted = true;
});
afterEach(() => {
  watching?.close();
  parts.close();
  element.remove();
  vi.restoreAllMocks();
});

async function fetchVideo(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const [, id = ""] = /messages\/([^/]+)\/video$/.exec(String(input)) ?? [];
  const range = new Headers(init?.headers).get("range") ?? "";
  asked.push(range);
  if (answer === "cut") throw new TypeError("Failed to fetch");
  if (answer === "gone") return problem(404, "message-gone");
  const [, from = 0, to = 0] = (/bytes=(\d+)-(\d+)/.exec(range) ?? []).map(Number);
  const body = slowly(videos.get(id)?.slice(from, to + 1) ?? new Uint8Array(0));
  return new Response(body, { status: 206, headers: { "content-range": `bytes ${from}-${to}/*` } });
}

/** An answer that breaks off when the line does. */
function slowly(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0;
  const pull = (controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): void => {
    if (at >= bytes.length) return controller.close();
    if (answer !== "well") return controller.error(new TypeError("network error"));
    controller.enqueue(bytes.slice(at, at + 65_536));
    at += 65_536;
  };
  return new ReadableStream({ pull }, { highWaterMark: 0 });
}

function problem(status: number, code: string): Response {
  const headers = { "content-type": "application/problem+json" };
  return new Response(JSON.stringify({ type: `/problems/${code}`, code, title: code, status }), { status, headers });
}

/** A message that bob left, sealed as his client would. */
async function leave(
  more: Partial<Details> = {},
  change: (sealed: Uint8Array) => void = () => undefined,
): Promise<string> {
  if (!ann || !bob) throw new TypeError("not made yet");
  await bob.crypto.meet(ann.acct, [unb64(ann.record)], null, Date.now());
  const messageKey = newMessageKey();
  const sealing = sealVideo(messageKey);
  const writer = sealing.writable.getWriter();
  void writer.write(film).then(() => writer.close());
  const sealed = new Uint8Array(
    await new Response(sealing.readable as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer(),
  );
  const hasher = new PartHasher();
  await hasher.push(sealed);
  const media = { type: "video/mp4", ms: SECONDS * 1000, w: 160, h: 120 };
  const video = describeVideo({ size: sealed.length, parts: await hasher.finish() }, media);
  const id = newId("msg");
  const wanted = {
    id,
    kind: "video" as const,
    createdMs: Date.now(),
    messageKey,
    upload: newId("upl"),
    details: { video, ...more },
  };
  server.deliver({ id, ...(await bob.crypto.composeMessage(wanted, [unb64(ann.record)])) });
  change(sealed);
  videos.set(id, sealed);
  return id;
}

async function opened(id: string): Promise<WatchingState> {
  watching?.close();
  watching = new WatchingState(home.house, id);
  await until(() => watching?.phase.kind !== "opening");
  return watching;
}

test("it opens with its captions, plays, and tells the sender once it does", async () => {
  const id = await leave({ captions: CAPTIONS });
  const state = await opened(id);
  expect(state.phase).toEqual({ kind: "ready" });
  expect(state.captions).toMatchObject([{ fromMs: 1000, toMs: 2000, text: "The goats are back" }]);
  expect(server.marks).not.toContain(`played ${id}`);
  const close = state.play(element);
  await element.play();
  await until(() => server.marks.includes(`played ${id}`));
  close();
});

test("captions that nobody can read keep nobody from watching", async () => {
  const state = await opened(await leave({ captions: "once upon a time" }));
  expect([state.phase.kind, state.captions]).toEqual(["ready", []]);
});

test("it goes on where it was left, also after the page was closed; seen to its end, from the beginning", async () => {
  const id = await leave();
  const first = await opened(id);
  expect(first.leftMs).toBe(0);
  const close = first.play(element);
  await until(() => element.readyState > 0);
  await element.play();
  element.currentTime = 6;
  await until(() => !element.seeking && element.currentTime > 6);
  element.pause();
  await until(() => element.paused);
  close();
  await parts.of(LeftOff).note("another", 7000, 60_000); // written after what it stands in line with
  parts.close();
  parts = new Parts(home.house);
  const second = await opened(id);
  expect(second.leftMs).toBeGreaterThan(5900);
  const end = second.play(element);
  await until(() => element.currentTime > 5.9 && element.readyState >= 2);
  element.playbackRate = 2;
  await element.play();
  element.currentTime = SECONDS - 0.5;
  await until(() => element.ended);
  end();
  await parts.of(LeftOff).note("another", 8000, 60_000);
  expect((await opened(id)).leftMs).toBe(0);
});

test("what was fetched is here: it opens again without the network", async () => {
  const id = await leave();
  const state = await opened(id);
  const close = state.play(element);
  const keeping = parts.of(Keeping);
  await until(() => keeping.here.has(id));
  close();
  answer = "cut";
  asked = [];
  const again = await opened(id);
  expect(again.phase.kind).toBe("ready");
  const end = again.play(element);
  await element.play();
  await until(() => element.currentTime > 0.2);
  end();
  expect(asked).toEqual([]);
  again.delete();
  await until(() => !keeping.here.has(id));
});

test("a spoilt part is said at its place, and not kept", async () => {
  const id = await leave({}, (sealed) => sealed.fill(7, -50));
  const state = await opened(id);
  const close = state.play(element);
  await until(() => state.phase.kind === "damaged");
  expect(state.phase).toMatchObject({ kind: "damaged" });
  expect(parts.of(Keeping).here.has(id)).toBe(false);
  close();
});

test("without a network it says so and opens by itself when that is back", async () => {
  const id = await leave();
  const inbox = parts.of(InboxState);
  await until(() => inbox.letters.length === 1);
  answer = "cut";
  const state = await opened(id);
  expect(state.phase.kind).toBe("offline");
  answer = "well";
  await until(() => state.phase.kind === "ready");
});

test("a network that goes while it plays is said, and it goes on by itself", async () => {
  const id = await leave();
  const state = await opened(id);
  answer = "cut";
  const close = state.play(element);
  await until(() => state.isHeld);
  expect(state.phase.kind).toBe("ready");
  answer = "well";
  dispatchEvent(new Event("online"));
  await until(() => !state.isHeld);
  await until(() => element.readyState >= 2);
  close();
});

test("what was taken back while it was watched is said to be gone", async () => {
  const id = await leave();
  const state = await opened(id);
  answer = "gone";
  const close = state.play(element);
  await until(() => state.phase.kind === "refused");
  expect(state.phase).toMatchObject({ failure: { code: "message-gone" } });
  close();
});

test("the next one is one that waits; there is none when all was played", async () => {
  const id = await leave();
  const other = await leave();
  const state = await opened(id);
  await until(() => state.inbox.letters.length === 2);
  expect(state.next?.id).toBe(other);
  await state.inbox.played(other);
  expect(state.next).toBeNull();
});
