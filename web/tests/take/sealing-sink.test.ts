import * as fc from "fast-check";
import { expect, test } from "vitest";
import { openVideo } from "../../src/crypto/video";
import { concat } from "../../src/protocol/encoding";
import { StorageError } from "../../src/storage/errors";
import { newDeviceKey } from "../../src/storage/sealing";
import { joined, openSide } from "../../src/storage/side";
import type { Spool } from "../../src/storage/spool";
import { openPrefix } from "../../src/take/crash";
import { newMessageKey, SealingSink } from "../../src/take/sealing-sink";

const ID = "msg_aaaaaaaaaaaaaaaaaaaaaaaaaa";
const sideKey = await newDeviceKey();
const FILM = Uint8Array.from({ length: 260_000 }, (_, at) => (at * 31 + (at >> 8)) & 0xff);

/** A disk that a crash leaves as it is at any moment. */
class Disk {
  video: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  readonly sides: Uint8Array<ArrayBuffer>[] = [];
  room = Infinity;
  get size(): number {
    return this.video.length;
  }
  append(data: Uint8Array): void {
    if (this.size + data.length > this.room) throw new StorageError("device-full");
    this.video = concat(this.video, data);
  }
  writeSide(record: Uint8Array<ArrayBuffer>): void {
    this.sides.push(record);
    if (this.sides.length > 2) this.sides.shift();
  }
}

function sinkOn(disk: Disk, messageKey: string): SealingSink {
  const spool = disk as unknown as Spool;
  return new SealingSink({ id: ID, messageKey, sideKey, spool, onSpooled: () => undefined });
}

async function afterCrash(disk: Disk, messageKey: string, torn: number): Promise<Uint8Array> {
  const prefix = await openPrefix(messageKey, disk.video.slice(0, disk.size - torn));
  return joined(prefix, await Promise.all(disk.sides.map((record) => openSide(sideKey, ID, record))));
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

test("every byte whose write was answered survives a crash at that moment", async () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 90_000 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(cuts, async (lengths) => {
      const disk = new Disk();
      const messageKey = newMessageKey();
      const writer = sinkOn(disk, messageKey).writable.getWriter();
      let written = 0;
      for (const length of lengths) {
        await writer.write(FILM.slice(written, written + length));
        written = Math.min(FILM.length, written + length);
        expect(isSame(await afterCrash(disk, messageKey, 0), FILM.subarray(0, written))).toBe(true);
      }
    }),
    { numRuns: 20 },
  );
});

test("a chunk that is torn by a crash costs no more than what came after the side record before it", async () => {
  const disk = new Disk();
  const messageKey = newMessageKey();
  const writer = sinkOn(disk, messageKey).writable.getWriter();
  for (let at = 0; at < FILM.length; at += 20_000) await writer.write(FILM.slice(at, at + 20_000));
  const whole = await afterCrash(disk, messageKey, 100);
  expect(isSame(whole, FILM.subarray(0, whole.length))).toBe(true);
});

test("what was finished opens as the film and its padding", async () => {
  const disk = new Disk();
  const messageKey = newMessageKey();
  const sink = sinkOn(disk, messageKey);
  const writer = sink.writable.getWriter();
  await writer.write(FILM);
  const { size, sha256 } = await sink.finish();
  expect(size).toBe(disk.size);
  const read = (at: number, length: number) => Promise.resolve(disk.video.slice(at, at + length));
  const video = await openVideo(messageKey, { size, read }, sha256);
  expect(video.plainSize % 65_536).toBe(0);
  expect(isSame(await video.read(0, FILM.length), FILM)).toBe(true);
});

test("a disk that takes no more ends the encoder's writes instead of stalling them", async () => {
  const disk = new Disk();
  disk.room = 70_000;
  const sink = sinkOn(disk, newMessageKey());
  const writer = sink.writable.getWriter();
  const writing = async (): Promise<void> => {
    for (let at = 0; at < FILM.length; at += 20_000) await writer.write(FILM.slice(at, at + 20_000));
    await sink.finish();
  };
  await expect(writing()).rejects.toMatchObject({ code: "device-full" });
});
