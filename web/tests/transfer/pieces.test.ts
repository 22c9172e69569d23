import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Fetch } from "../../src/transfer/http";
import { rangedVideo } from "../../src/transfer/ranges";

const calm = { baseMs: 1, capMs: 1, random: () => 0, sleep: () => Promise.resolve() };
const FILM = Uint8Array.from({ length: 5000 }, (_, at) => (at * 7 + (at >> 8)) & 0xff);
const TYPE = "application/vnd.restante.pieces+json";
const PIECE = 700;

type Asked = { url: string; range: string; init: RequestInit };

/** A server that tells where pieces are, three at a time, and a bucket that fails as `faults` says, one after the other. */
function stage(faults: string[] = [], told?: (from: number) => unknown) {
  const server: Asked[] = [];
  const bucket: Asked[] = [];
  const fetchServer: Fetch = (url, init) => {
    const headers = new Headers(init.headers);
    const range = headers.get("range") ?? "";
    server.push({ url, range, init });
    const from = Number(/bytes=(\d+)/.exec(range)?.[1]);
    const to = Number(/-(\d+)/.exec(range)?.[1]);
    if (headers.get("accept")?.includes(TYPE)) {
      const body = JSON.stringify((told ?? piecesFrom)(from));
      return Promise.resolve(new Response(body, { headers: { "content-type": TYPE } }));
    }
    const answer = { status: 206, headers: { "content-range": `bytes ${from}-${to}/${FILM.length}` } };
    return Promise.resolve(new Response(FILM.slice(from, to + 1), answer));
  };
  const fetchElsewhere: Fetch = (url, init) => {
    const range = new Headers(init.headers).get("range") ?? "";
    bucket.push({ url, range, init });
    const fault = faults.shift();
    if (fault === "down") return Promise.reject(new TypeError("network"));
    if (fault === "refused") return Promise.resolve(new Response("<Error/>", { status: 403 }));
    const at = Number(/\/(\d+)\?/.exec(url)?.[1]);
    const [from = 0, to = 0] = (/bytes=(\d+)-(\d+)/.exec(range) ?? []).slice(1).map(Number);
    const bytes = FILM.slice(at + from, at + to + 1);
    return Promise.resolve(new Response(fault === "cut" ? bytes.slice(0, 5) : bytes, { status: 206 }));
  };
  const video = rangedVideo("msg_a", FILM.length, { fetch: fetchServer, fetchElsewhere, waiting: calm });
  return { video, server, bucket };
}

function piecesFrom(from: number): unknown {
  const first = Math.floor(from / PIECE) * PIECE;
  const pieces = [0, 1, 2].map((step) => first + step * PIECE).filter((at) => at < FILM.length);
  return { pieces: pieces.map((offset) => ({ offset, size: sizeAt(offset), url: urlOf(offset) })), for_s: 300 };
}

const sizeAt = (offset: number): number => Math.min(PIECE, FILM.length - offset);
const urlOf = (offset: number): string => `https://bucket.example/blobs/${offset}?signature=s`;

describe("a video whose bytes lie in a bucket", () => {
  test("is read piece by piece, and the server is asked only where they are", async () => {
    const { video, server, bucket } = stage();
    for (let at = 0; at < FILM.length; at += 1000)
      expect(await video.read(at, 1000)).toEqual(FILM.slice(at, at + 1000));
    expect(bucket.map(({ url }) => url)).toEqual([0, 700, 1400, 2100, 2800, 3500, 4200, 4900].map(urlOf));
    expect(server.map(({ range }) => range)).toEqual(["bytes=0-4999", "bytes=2100-4999", "bytes=4200-4999"]);
  });

  test("is read there without credentials, whoever one is here", async () => {
    const { video, server, bucket } = stage();
    await video.read(0, 5000);
    expect(server.every(({ init }) => init.credentials === "same-origin")).toBe(true);
    for (const { init } of bucket) {
      expect(init).toMatchObject({ credentials: "omit", redirect: "error", referrerPolicy: "no-referrer" });
      expect([...new Headers(init.headers).keys()]).toEqual(["range"]);
    }
  });

  test("read elsewhere takes just that from the piece that has it", async () => {
    const { video, bucket } = stage();
    expect(await video.read(3000, 100)).toEqual(FILM.slice(3000, 3100));
    expect(bucket.map(({ url, range }) => [url, range])).toEqual([[urlOf(2800), "bytes=200-299"]]);
  });

  test.each(["down", "refused"])("that cannot be reached there (%s) comes from the server", async (fault) => {
    const { video, server, bucket } = stage(Array<string>(100).fill(fault));
    expect(await video.read(0, 5000)).toEqual(FILM);
    expect([server.length, bucket.length]).toEqual([3, 2]);
  });

  test("that fails there once goes on there", async () => {
    const { video, server, bucket } = stage(["", "down"]);
    expect(await video.read(0, 5000)).toEqual(FILM);
    expect([server.length, bucket.length]).toEqual([4, 9]);
  });

  test.each([
    ["nothing", { pieces: [], for_s: 300 }],
    ["no lifetime", { pieces: [{ offset: 0, size: 9, url: urlOf(0) }] }],
    ["other bytes", { pieces: [{ offset: 9, size: 9, url: urlOf(0) }], for_s: 300 }],
    ["gaps", { pieces: [0, 9].map((offset) => ({ offset, size: 5, url: urlOf(0) })), for_s: 300 }],
    ["plain http", { pieces: [{ offset: 0, size: 9, url: "http://bucket.example/" }], for_s: 300 }],
    ["a program", { pieces: [{ offset: 0, size: 9, url: "javascript:alert(1)" }], for_s: 300 }],
    ["what has ended", { pieces: [{ offset: 0, size: 5000, url: urlOf(0) }], for_s: 1 }],
  ])("is refused when the server tells %s", async (_, told) => {
    const { video } = stage([], () => told);
    await expect(video.read(0, 1000)).rejects.toMatchObject({ code: "answer-malformed" });
  });
});

test("whatever fails in the bucket, what is read is what the file has there", async () => {
  const reads = fc.array(fc.tuple(fc.nat({ max: 5200 }), fc.nat({ max: 1500 }), fc.boolean()), { maxLength: 8 });
  const faults = fc.array(fc.constantFrom("", "", "down", "refused", "cut"), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(reads, faults, async (wanted, failing) => {
      const { video } = stage(failing);
      let next = 0;
      for (const [somewhere, length, follows] of wanted) {
        const offset = follows ? next : somewhere;
        expect(await video.read(offset, length)).toEqual(FILM.slice(offset, offset + length));
        next = Math.min(FILM.length, offset + length);
      }
      video.close();
    }),
  );
});
