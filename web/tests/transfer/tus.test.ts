import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Waiting } from "../../src/transfer/retry";
import { createUpload, PIECE_BYTES, terminateUpload } from "../../src/transfer/tus";
import { Uploader, type UploadState } from "../../src/transfer/uploader";
import { TusServer, type Fault } from "./tus-server";

const KIB = 1024;

function film(size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, at) => (at * 31 + (at >> 8)) & 0xff);
}

/** Quicker than `toEqual`, which goes byte by byte. */
function isSame(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}

function waitingInto(waits: number[]): Waiting {
  const sleep = (ms: number): Promise<void> => {
    waits.push(ms);
    return Promise.resolve();
  };
  return { baseMs: 250, capMs: 20_000, random: () => 1, sleep };
}

async function begun(
  server: TusServer,
  bytes: Uint8Array<ArrayBuffer>,
  more: { now?: () => number; resumed?: boolean } = {},
) {
  const upload = await createUpload(server.fetch);
  const states: UploadState[] = [];
  const waits: number[] = [];
  const source = { read: (offset: number, length: number) => Promise.resolve(bytes.slice(offset, offset + length)) };
  const options = {
    upload,
    source,
    fetch: server.fetch,
    waiting: waitingInto(waits),
    onState: (s: UploadState) => states.push(s),
  };
  const uploader = new Uploader({ ...options, ...more });
  return { upload, uploader, states, waits };
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) await Promise.resolve();
}

describe("an upload", () => {
  test("sends nothing less than 64 KiB while more is to come, and the rest at the end", async () => {
    const server = new TusServer();
    const bytes = film(100 * KIB);
    const { upload, uploader } = await begun(server, bytes);
    uploader.offer(60 * KIB);
    await settled();
    expect(server.pieces).toEqual([]);
    uploader.offer(70 * KIB);
    await settled();
    expect(server.pieces).toEqual([64 * KIB]);
    uploader.finish(bytes.length);
    expect(await uploader.ended).toEqual({ kind: "stored", offset: bytes.length });
    expect(isSame(server.bytesOf(upload.id), bytes)).toBe(true);
    expect(server.isFinished(upload.id)).toBe(true);
  });

  test("of no bytes more than were sent is finished by an empty PATCH that tells the length", async () => {
    const server = new TusServer();
    const bytes = film(64 * KIB);
    const { upload, uploader } = await begun(server, bytes);
    uploader.offer(bytes.length);
    await settled();
    expect(server.isFinished(upload.id)).toBe(false);
    uploader.finish(bytes.length);
    await uploader.ended;
    expect(server.isFinished(upload.id)).toBe(true);
  });

  test("whose end becomes known while the last piece is on its way tells the length, too", async () => {
    const server = new TusServer();
    const bytes = film(64 * KIB);
    const upload = await createUpload(server.fetch);
    const source = { read: (offset: number, length: number) => Promise.resolve(bytes.slice(offset, offset + length)) };
    const uploader: Uploader = new Uploader({
      upload,
      source,
      fetch: async (input, init) => {
        const answer = await server.fetch(input, init);
        uploader.finish(bytes.length);
        return answer;
      },
    });
    uploader.offer(bytes.length);
    await uploader.ended;
    expect(server.isFinished(upload.id)).toBe(true);
  });

  test("grows its pieces on a quick line up to 1 MiB and shrinks them on a slow one", async () => {
    let ms = 0;
    const server = new TusServer();
    const bytes = film(5 * 1024 * KIB);
    server.onPatch = () => {
      ms += server.pieces.length < 7 ? 10 : 5000;
    };
    const { uploader } = await begun(server, bytes, { now: () => ms });
    uploader.finish(bytes.length);
    await uploader.ended;
    expect(server.pieces.slice(0, 5)).toEqual([64, 128, 256, 512, 1024].map((kib) => kib * KIB));
    expect(Math.max(...server.pieces)).toBe(PIECE_BYTES);
    expect(server.pieces.at(8)).toBeLessThan(PIECE_BYTES);
  });

  test("waits longer and longer while nothing answers, and begins anew after progress", async () => {
    const server = new TusServer();
    const bytes = film(200 * KIB);
    const { uploader, waits, states } = await begun(server, bytes);
    server.faults.push(...Array.from({ length: 4 }, (): Fault => ({ kind: "cut-before" })));
    uploader.finish(bytes.length);
    await uploader.ended;
    expect(waits).toEqual([250, 500, 1000, 2000]);
    expect(
      states.filter((state) => state.kind === "waiting").map((state) => "problem" in state && state.problem.code),
    ).toEqual(Array.from({ length: 4 }, () => "offline"));
  });

  test("waits as long as the server asks at 423 and 503, then asks for the offset", async () => {
    const server = new TusServer();
    const bytes = film(80 * KIB);
    const { uploader, waits, upload } = await begun(server, bytes);
    server.faults.push({ kind: "refuse", status: 423, code: "locked", retryAfter: 2 });
    server.faults.push({ kind: "refuse", status: 503, code: "busy", retryAfter: 3 });
    uploader.finish(bytes.length);
    await uploader.ended;
    expect(waits).toEqual([2250, 3500]);
    expect(isSame(server.bytesOf(upload.id), bytes)).toBe(true);
  });

  test("that the server lost is told as gone", async () => {
    const server = new TusServer();
    const bytes = film(80 * KIB);
    const { uploader, upload } = await begun(server, bytes);
    server.lose(upload.id);
    uploader.finish(bytes.length);
    expect((await uploader.ended).kind).toBe("gone");
  });

  test.each([
    ["that were never there", 80, 81],
    ["that were there and never sent", 200, 100],
  ])("is given up when the server claims bytes %s", async (_, there, claimed) => {
    const server = new TusServer();
    const bytes = film(there * KIB);
    const { uploader } = await begun(server, bytes);
    server.faults.push({ kind: "cut-before" });
    server.claimedOffset = claimed * KIB;
    uploader.finish(bytes.length);
    expect(await uploader.ended).toMatchObject({ kind: "gone", problem: { code: "upload-offset-impossible" } });
  });

  test("that is refused for good is told so, and does not try for ever", async () => {
    const server = new TusServer();
    const bytes = film(80 * KIB);
    const { uploader } = await begun(server, bytes);
    server.faults.push({ kind: "refuse", status: 413, code: "too-large" });
    uploader.finish(bytes.length);
    expect(await uploader.ended).toMatchObject({ kind: "refused", problem: { code: "too-large" } });
  });

  test("goes on where another one stopped", async () => {
    const server = new TusServer();
    const bytes = film(300 * KIB);
    const first = await begun(server, bytes);
    first.uploader.offer(130 * KIB);
    await settled();
    first.uploader.close();
    await expect(first.uploader.ended).rejects.toThrow("closed");
    const stored = server.bytesOf(first.upload.id).length;
    expect(stored).toBeGreaterThan(0);
    const pieces = server.pieces.length;
    const source = { read: (offset: number, length: number) => Promise.resolve(bytes.slice(offset, offset + length)) };
    const second = new Uploader({
      upload: first.upload,
      source,
      resumed: true,
      fetch: server.fetch,
      waiting: waitingInto([]),
    });
    second.finish(bytes.length);
    await second.ended;
    expect(isSame(server.bytesOf(first.upload.id), bytes)).toBe(true);
    expect(server.pieces.slice(pieces).reduce((sum, piece) => sum + piece, 0)).toBe(bytes.length - stored);
  });

  test("is terminated once, and again without harm", async () => {
    const server = new TusServer();
    const upload = await createUpload(server.fetch);
    await terminateUpload(server.fetch, upload);
    await terminateUpload(server.fetch, upload);
    expect(server.uploads.get(upload.id)?.gone).toBe(true);
  });
});

const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.constant<Fault>({ kind: "cut-before" }),
  fc.constant<Fault>({ kind: "answer-lost" }),
  fc.nat({ max: 70 * KIB }).map((after): Fault => ({ kind: "cut-in-body", after })),
  fc.constantFrom(...["locked", "busy", "storage-full"]).map((code): Fault => ({
    kind: "refuse",
    status: { locked: 423, busy: 503, "storage-full": 507 }[code] ?? 503,
    code,
  })),
);

test("whatever is cut, lost or refused on the way, the server ends with exactly the bytes of the spool", async () => {
  const growth = fc.array(fc.nat({ max: 150 * KIB }), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(growth, fc.array(fault, { maxLength: 12 }), async (steps, faults) => {
      const server = new TusServer();
      const bytes = film(steps.reduce((sum, step) => sum + step, 0));
      const { uploader, upload } = await begun(server, bytes);
      server.faults.push(...faults);
      let available = 0;
      for (const step of steps) {
        available += step;
        uploader.offer(available);
        await settled();
      }
      uploader.finish(bytes.length);
      expect((await uploader.ended).kind).toBe("stored");
      expect(isSame(server.bytesOf(upload.id), bytes)).toBe(true);
      expect(server.isFinished(upload.id)).toBe(true);
    }),
    { numRuns: 60 },
  );
});
