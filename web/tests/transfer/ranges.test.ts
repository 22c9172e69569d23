import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Fetch } from "../../src/transfer/http";
import { rangedVideo } from "../../src/transfer/ranges";

const calm = { baseMs: 1, capMs: 1, random: () => 0, sleep: () => Promise.resolve() };
const FILM = Uint8Array.from({ length: 5000 }, (_, at) => (at * 7 + (at >> 8)) & 0xff);

/** A server with one file; every answer breaks after as many bytes as `cuts` says, while it says anything. */
function server(file: Uint8Array, cuts: number[] = []): { fetch: Fetch; asked: string[] } {
  const asked: string[] = [];
  const fetch: Fetch = (_, init) => {
    const range = new Headers(init.headers).get("range") ?? "";
    asked.push(range);
    const [from = 0, to = 0] = (/bytes=(\d+)-(\d+)/.exec(range) ?? []).slice(1).map(Number);
    if (from >= file.length) return Promise.resolve(problem(416, "range-unsatisfiable"));
    const rest = file.slice(from, to + 1);
    const cut = cuts.shift();
    const headers = { "content-range": `bytes ${from}-${from + rest.length - 1}/${file.length}` };
    return Promise.resolve(new Response(streamed(rest, cut), { status: 206, headers }));
  };
  return { fetch, asked };
}

function streamed(bytes: Uint8Array, cut: number | undefined): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (cut !== undefined && at >= cut) return controller.error(new TypeError("network"));
      if (at >= bytes.length) return controller.close();
      const end = Math.min(bytes.length, at + 300, cut ?? bytes.length);
      controller.enqueue(bytes.slice(at, end));
      at = end;
    },
  });
}

function problem(status: number, code: string): Response {
  return new Response(JSON.stringify({ code, status }), { status });
}

describe("a video on the server", () => {
  test("read in sequence takes one request", async () => {
    const { fetch, asked } = server(FILM);
    const video = rangedVideo("msg_a", FILM.length, { fetch, waiting: calm });
    for (let at = 0; at < FILM.length; at += 1000)
      expect(await video.read(at, 1000)).toEqual(FILM.slice(at, at + 1000));
    expect(asked).toEqual(["bytes=0-4999"]);
  });

  test("read elsewhere asks for just that, and reading on from there is a stream again", async () => {
    const { fetch, asked } = server(FILM);
    const video = rangedVideo("msg_a", FILM.length, { fetch, waiting: calm });
    await video.read(3000, 500);
    await video.read(3500, 500);
    await video.read(4000, 1000);
    expect(asked).toEqual(["bytes=3000-3499", "bytes=3500-4999"]);
  });

  test("that is shorter than was signed gives what there is, and no error of its own", async () => {
    const { fetch } = server(FILM.slice(0, 1500));
    const video = rangedVideo("msg_a", FILM.length, { fetch, waiting: calm });
    expect(await video.read(0, 1000)).toEqual(FILM.slice(0, 1000));
    expect(await video.read(1000, 1000)).toEqual(FILM.slice(1000, 1500));
    expect(await video.read(2000, 1000)).toHaveLength(0);
  });

  test("that was deleted meanwhile says so", async () => {
    const fetch: Fetch = () => Promise.resolve(problem(410, "message-gone"));
    const video = rangedVideo("msg_a", FILM.length, { fetch, waiting: calm });
    await expect(video.read(0, 1000)).rejects.toMatchObject({ code: "message-gone" });
  });

  test("answered from another place than asked is refused", async () => {
    const headers = { "content-range": "bytes 0-9/5000" };
    const fetch: Fetch = () => Promise.resolve(new Response(FILM.slice(0, 10), { status: 206, headers }));
    const video = rangedVideo("msg_a", FILM.length, { fetch, waiting: calm });
    await expect(video.read(100, 10)).rejects.toMatchObject({ code: "answer-malformed" });
  });

  test("that is closed rejects what is still read", async () => {
    const fetch: Fetch = (_, init) =>
      new Promise((__, reject) => init.signal?.addEventListener("abort", () => reject(init.signal?.reason as Error)));
    const video = rangedVideo("msg_a", FILM.length, { fetch, waiting: calm });
    const reading = video.read(0, 10);
    setTimeout(() => video.close());
    await expect(reading).rejects.toMatchObject({ name: "AbortError" });
  });
});

test("wherever the line breaks, what is read is what the file has there", async () => {
  const reads = fc.array(fc.tuple(fc.nat({ max: 5200 }), fc.nat({ max: 1500 }), fc.boolean()), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(reads, fc.array(fc.nat({ max: 900 }), { maxLength: 10 }), async (wanted, cuts) => {
      const { fetch } = server(FILM, cuts);
      const video = rangedVideo("msg_a", FILM.length, { fetch, waiting: calm });
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
