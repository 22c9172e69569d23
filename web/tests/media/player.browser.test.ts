// The player in a real browser: as on a desktop, as on an iPhone (by a stand-in), and in a browser that plays nothing in pieces.

import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { Plaintext } from "../../src/media/plaintext";
import { MessagePlayer, type Playable, type PlayerState } from "../../src/media/player";
import { ManagedStandIn } from "./managed-source";
import { realFilm } from "./real-film";

const SECONDS = 8;
let usual: Uint8Array<ArrayBuffer>;
let film: Uint8Array<ArrayBuffer>;
let element: HTMLVideoElement;
let player: MessagePlayer | null = null;
const known = { MediaSource: globalThis.MediaSource };

/** A fragment in which nothing fits. */
const NONSENSE = new Uint8Array([0, 0, 0, 16, 0x6d, 0x6f, 0x6f, 0x66, 0, 0, 0, 2, 9, 9, 9, 9]);

interface Line {
  /** Reading at or after this byte fails. */
  failAt: number;
  failure: unknown;
  read: number;
}
let line: Line;

function video(): Plaintext {
  const PIECE = 4096;
  const take = async (from: number, to: number): Promise<Uint8Array> => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (to > line.failAt) throw line.failure;
    line.read += to - from;
    return film.slice(from, to);
  };
  return {
    plainSize: film.length,
    read: (offset, length) => take(offset, Math.min(film.length, offset + length)),
    stream(from) {
      let at = from;
      return new ReadableStream({
        async pull(controller) {
          if (at >= film.length) return controller.close();
          const to = Math.min(film.length, at + PIECE);
          controller.enqueue(await take(at, to));
          at = to;
        },
      });
    },
  };
}

function open(more: Partial<Playable> = {}): PlayerState[] {
  const states: PlayerState[] = [];
  player = new MessagePlayer(element, video(), { ms: SECONDS * 1000, type: "video/mp4", ...more });
  player.onState = (state) => states.push(state);
  void player.open();
  return states;
}
const kinds = (states: PlayerState[]) => states.map(({ kind }) => kind);
const until = async (condition: () => boolean) => vi.waitUntil(condition, { timeout: 15_000, interval: 10 });
const isShowing = () => element.readyState >= 2 && !element.seeking;

beforeAll(async () => {
  usual = await realFilm(SECONDS);
});
beforeEach(() => {
  film = usual;
  element = document.body.appendChild(document.createElement("video"));
  element.muted = true;
  line = { failAt: Infinity, failure: null, read: 0 };
  ManagedStandIn.made = [];
});
afterEach(() => {
  player?.close();
  element.remove();
  Object.assign(globalThis, known);
  delete (globalThis as { ManagedMediaSource?: unknown }).ManagedMediaSource;
});

test("plays to the end, all of it", async () => {
  const states = open();
  element.playbackRate = 2;
  await element.play();
  await until(() => element.ended);
  expect(kinds(states)).toEqual(["playing", "complete"]);
  expect(element.duration).toBeCloseTo(SECONDS, 1);
});

test("a film whose sound ends before its last pictures is read once, and is over", async () => {
  film = await realFilm(3.5, 200_000, 3);
  const states = open({ ms: 3500 });
  await until(() => states.at(-1)?.kind === "complete");
  expect(line.read).toBe(film.length);
});

test("begins where it was left, without fetching what stands before", async () => {
  const states = open({ startS: 6.2 });
  await until(() => isShowing() && element.currentTime > 6);
  expect(element.currentTime).toBeCloseTo(6.2, 1);
  await element.play();
  await until(() => element.currentTime > 6.4);
  expect(states[0]?.kind).toBe("playing");
  player?.seek(0.5);
  await until(() => isShowing() && element.currentTime < 3);
});

test("on an iPhone: gives pieces only when they are asked for, and again what was thrown out", async () => {
  Object.assign(globalThis, { ManagedMediaSource: ManagedStandIn, MediaSource: undefined });
  const added = vi.spyOn(URL, "createObjectURL");
  const states = open();
  await until(() => ManagedStandIn.made.length === 1);
  const [source] = ManagedStandIn.made;
  source?.watch(element);
  expect(added).toHaveBeenCalledWith(source);
  expect(element.disableRemotePlayback).toBe(true);
  await until(isShowing);
  await until(() => source?.turns.at(-1) === "end");
  expect(kinds(states)).toEqual(["playing"]);
  expect(line.read).toBeLessThan(film.length);
  element.playbackRate = 2;
  await element.play();
  await until(() => element.currentTime > 1.5);
  await source?.evict();
  await until(() => element.ended);
  expect(source?.turns.filter((turn) => turn === "start").length).toBeGreaterThan(1);
  expect(source?.faults).toEqual([]);
  expect(states.at(-1)?.kind).toBe("complete");
  added.mockRestore();
});

test("closed while the managed source wants nothing, it ends", async () => {
  Object.assign(globalThis, { ManagedMediaSource: ManagedStandIn, MediaSource: undefined });
  open();
  await until(() => ManagedStandIn.made.length === 1);
  ManagedStandIn.made[0]?.watch(element);
  await until(() => ManagedStandIn.made[0]?.turns.at(-1) === "end");
  player?.close();
  expect(element.getAttribute("src")).toBeNull();
});

test("a browser without media sources plays the whole as one file, from where it was left", async () => {
  Object.assign(globalThis, { MediaSource: undefined });
  const states = open({ startS: 5 });
  await until(isShowing);
  expect(element.src).toMatch(/^blob:/);
  expect(element.currentTime).toBeCloseTo(5, 1);
  expect(kinds(states)).toEqual(["complete"]);
});

test("what the browser does not take in pieces is played as one file, at the same place and going on", async () => {
  class Refusing extends known.MediaSource {
    override addSourceBuffer(type: string): SourceBuffer {
      const buffer = super.addSourceBuffer(type);
      let count = 0;
      const append = buffer.appendBuffer.bind(buffer);
      buffer.appendBuffer = (data) => append(++count === 4 ? NONSENSE : data);
      return buffer;
    }
  }
  Object.assign(globalThis, { MediaSource: Refusing });
  const states = open();
  void element.play().catch(() => undefined);
  await until(() => states.at(-1)?.kind === "complete");
  await until(() => isShowing() && !element.paused && element.currentTime > 0.3);
  expect(element.error).toBeNull();
});

test("the file that was put together from a cut video ends with its last whole second, and says where", async () => {
  Object.assign(globalThis, { MediaSource: undefined });
  line = { ...line, failAt: film.length * 0.6, failure: { code: "video-cut-off" } };
  const states = open();
  await until(isShowing);
  expect(states[0]).toMatchObject({ kind: "cut-off" });
  const [state] = states;
  expect(state && "atS" in state ? state.atS : 0).toBeGreaterThan(2);
  expect(element.duration).toBeCloseTo(state && "atS" in state ? state.atS : 0, 0);
});

test("a lost line is waited out; what will not pass is told", async () => {
  const offline = { code: "offline" };
  line = { ...line, failAt: film.length / 2, failure: offline };
  const isPassing = (reason: unknown) => reason === offline;
  const states = open({ isPassing });
  await until(() => states.at(-1)?.kind === "waiting");
  line.failAt = Infinity;
  dispatchEvent(new Event("online"));
  await until(() => states.at(-1)?.kind === "complete");
  expect(kinds(states)).toEqual(["playing", "waiting", "playing", "complete"]);
  player?.close();
  const gone = { code: "message-gone" };
  line = { ...line, failAt: film.length / 2, failure: gone };
  const told = open({ isPassing });
  await until(() => told.at(-1)?.kind === "failed");
  expect(told.at(-1)).toEqual({ kind: "failed", reason: gone });
});
