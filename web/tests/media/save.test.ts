import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from "mediabunny";
import { expect, test } from "vitest";
import { boxesIn } from "../../src/media/boxes";
import type { Saved } from "../../src/media/saving";
import { NotSaveable, toFaststart } from "../../src/media/save";
import { concat, utf8 } from "../../src/protocol/encoding";
import { film } from "./film";

const PIECE = 50_000;

/** A video that is read from the front in pieces, and fails from a place on. */
function video(bytes: Uint8Array, failAt = Infinity, failure?: Error): Saved {
  return {
    plainSize: bytes.length,
    stream(from) {
      let at = from;
      return new ReadableStream({
        pull(controller) {
          if (at > failAt) return controller.error(failure);
          if (at >= bytes.length) return controller.close();
          controller.enqueue(bytes.slice(at, at + PIECE));
          at += PIECE;
        },
      });
    },
  };
}

async function packets(file: Uint8Array, kind: "video" | "audio"): Promise<[number, number][]> {
  const input = new Input({ source: new BufferSource(file), formats: ALL_FORMATS });
  const track = kind === "video" ? await input.getPrimaryVideoTrack() : await input.getPrimaryAudioTrack();
  const found: [number, number][] = [];
  if (track)
    for await (const packet of new EncodedPacketSink(track).packets())
      found.push([packet.timestamp, packet.byteLength]);
  return found;
}

const bytesOf = async (blob: Blob): Promise<Uint8Array> => new Uint8Array(await blob.arrayBuffer());
const free = (size: number): Uint8Array =>
  concat(new Uint8Array([0, 0, size >> 8, size & 255]), utf8("free"), new Uint8Array(size - 8));

test("the index stands in front, each picture and sound is where it says, padding is gone", async () => {
  const plain = concat(await film({ seconds: 12, weight: (picture) => 300 + picture * 7 }), free(3000));
  const progress: number[] = [];
  const file = await bytesOf(await toFaststart(video(plain), { onProgress: (done) => progress.push(done) }));
  const types = boxesIn(file, 0, file.length).map(({ type }) => type).filter((type) => type !== "free"); // prettier-ignore
  expect(types).toEqual(["ftyp", "moov", "mdat"]);
  for (const kind of ["video", "audio"] as const) {
    const saved = await packets(file, kind);
    const before = await packets(plain, kind);
    expect(saved.length).toBe(before.length);
    expect(saved.map(([, size]) => size)).toEqual(before.map(([, size]) => size));
    saved.forEach(([at], number) => expect(at).toBeCloseTo(before[number]?.[0] ?? -1, 3));
  }
  expect(progress.at(-1)).toBe(1);
});

test.each([0.3, 0.7, 0.999])("what reading throws comes out unchanged: a failure at %d of it", async (share) => {
  const plain = await film({ seconds: 20, weight: () => 9000 });
  const failure = Object.assign(new Error("part"), { code: "video-part-swapped" });
  await expect(toFaststart(video(plain, plain.length * share, failure))).rejects.toBe(failure);
});

test("what is no video is refused", async () => {
  await expect(toFaststart(video(new Uint8Array(5000)))).rejects.toBeInstanceOf(NotSaveable);
  await expect(toFaststart(video(new Uint8Array(0)))).rejects.toBeInstanceOf(NotSaveable);
});

test("it can be given up", async () => {
  const plain = await film({ seconds: 20 });
  const giving = new AbortController();
  const saving = toFaststart(video(plain), { onProgress: () => giving.abort(), signal: giving.signal });
  await expect(saving).rejects.toMatchObject({ name: "AbortError" });
});
