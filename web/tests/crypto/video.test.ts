// Videos against protocol/vectors/: whole, streamed, byte by byte and by range; and the algebra of sealing.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProtocolError } from "../../src/protocol/errors";
import { concat, equalBytes } from "../../src/protocol/encoding";
import { PART_BYTES } from "../../src/protocol/limits";
import { unseal } from "../../src/crypto/age";
import { MAX_PLAIN_BYTES, paddingBytes, padme } from "../../src/crypto/padding";
import {
  livePadding,
  newMessageKey,
  openVideo,
  PartHasher,
  sealVideo,
  videoFailure,
  VideoOpener,
  videoSize,
} from "../../src/crypto/video";
import { cut, family, file, hexSha256, outcome, unhex, values, type Vector } from "../protocol/vectors";

const vectors = await family("video");
const bases = new Map(await Promise.all(vectors.map(async (vector) => baseOf(vector))));

async function baseOf(vector: Vector): Promise<[string, Uint8Array]> {
  return [vector.text("base"), await file(`video/${vector.text("base")}`)];
}

function edited(vector: Vector): Uint8Array {
  let data = (bases.get(vector.text("base")) ?? new Uint8Array(0)).slice();
  for (const edit of vector.texts("edit")) {
    const [verb, one = "", other = ""] = edit.split(" ");
    if (verb === "flip") data[Number(one)] = (data[Number(one)] ?? 0) ^ 1;
    else if (verb === "cut") data = data.slice(0, Number(one));
    else if (verb === "append") data = concat(data, unhex(one));
    else {
      const [from, to] = [Number(one) * PART_BYTES, Number(other) * PART_BYTES];
      const [first, second] = [data.slice(from, from + PART_BYTES), data.slice(to, to + PART_BYTES)];
      data.set(first, to);
      if (verb === "swap") data.set(second, from);
    }
  }
  return data;
}

function sourceOf(data: Uint8Array, size: number) {
  const asked: [number, number][] = [];
  const read = (offset: number, length: number) => {
    asked.push([offset, length]);
    return Promise.resolve(data.slice(offset, offset + length));
  };
  return { size, read, asked };
}

async function streamed(data: Uint8Array, key: string, size: number, parts: string[], step: number) {
  const released: Uint8Array[] = [];
  const opener = new VideoOpener(key, size, parts);
  const { code } = await outcome(async () => {
    for (const piece of cut(data, step)) for await (const plaintext of opener.push(piece)) released.push(plaintext);
    released.push(opener.finish());
  });
  return { released: concat(...released), code };
}

async function collected(stream: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) pieces.push(next.value);
  return concat(...pieces);
}

describe.each([2 ** 30, 65_536, 9_973])("vectors in cuts of %i bytes", (step) => {
  test.each(vectors)("$name", async (vector) => {
    const size = vector.number("size");
    const { released, code } = await streamed(edited(vector), vector.text("key"), size, vector.texts("part"), step);
    expect(code).toBe(vector.refusal);
    expect(released.length).toBe(vector.number("released"));
    expect(await hexSha256(released)).toBe(vector.text("released-sha256"));
  });
});

const BYTEWISE = ["ok-short", "swapped-by-co-recipient", "byte-added", "cut-in-part"];
test.each(vectors.filter(({ name }) => BYTEWISE.includes(name)))("$name byte by byte", async (vector) => {
  const size = vector.number("size");
  const { released, code } = await streamed(edited(vector), vector.text("key"), size, vector.texts("part"), 1);
  expect([code, released.length]).toEqual([vector.refusal, vector.number("released")]);
});

test.each(vectors)("$name by range", async (vector) => {
  const source = sourceOf(edited(vector), vector.number("size"));
  const { value, code } = await outcome(async () =>
    hexSha256(await collected((await openVideo(vector.text("key"), source, vector.texts("part"))).stream())),
  );
  if (vector.name === "byte-added") return expect(code).toBe(null); // what follows the signed size is never asked for
  expect(code).toBe(vector.refusal);
  if (value) expect(value).toBe(vector.text("released-sha256"));
});

async function sealed(plaintext: Uint8Array, steps: number[] = [50_000]) {
  const key = newMessageKey();
  const seal = sealVideo(key);
  const output = collected(seal.readable);
  const writer = seal.writable.getWriter();
  let at = 0;
  for (let turn = 0; at < plaintext.length; turn++) {
    const step = steps[turn % steps.length] ?? 1;
    await writer.write(plaintext.subarray(at, at + step));
    at += step;
  }
  await writer.close();
  const video = await output;
  const hasher = new PartHasher();
  await Promise.all(cut(video, 70_001).map((piece) => hasher.push(piece)));
  return { key, video, parts: await hasher.finish() };
}

function noise(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) => (at * 2_654_435_761) >>> 13);
}

const plaintext = noise(600_000);
const whole = await sealed(plaintext);

test("opening gives back what was sealed, in whatever cuts", async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 4 });
  const law = fc.asyncProperty(fc.integer({ min: 0, max: 140_000 }), sizes, async (size, steps) => {
    const { key, video, parts } = await sealed(plaintext.subarray(0, size), steps);
    expect(video.length).toBe(videoSize(size));
    expect(equalBytes(await unseal(video, [key], { stanzas: 1 }), plaintext.subarray(0, size))).toBe(true);
    const opened = await streamed(video, key, video.length, parts, steps[0] ?? 1);
    expect([opened.code, opened.released.length]).toEqual([null, size]);
  });
  await fc.assert(law, {
    numRuns: 15,
    examples: [
      [65_536, [65_536]],
      [65_537, [1000]],
      [0, [1]],
    ],
  });
});

test("reading by range equals the slice and asks for whole parts", async () => {
  const source = sourceOf(whole.video, whole.video.length);
  const video = await openVideo(whole.key, source, whole.parts);
  expect(video.plainSize).toBe(plaintext.length);
  const within = fc.integer({ min: 0, max: 700_000 });
  await fc.assert(
    fc.asyncProperty(within, within, async (offset, length) => {
      const slice = plaintext.subarray(offset, offset + length); // toEqual takes seconds for so many bytes
      expect(equalBytes(await video.read(offset, length), slice)).toBe(true);
    }),
    { numRuns: 25 },
  );
  expect(equalBytes(await collected(video.stream(300_001)), plaintext.subarray(300_001))).toBe(true);
  expect(source.asked.every(([offset]) => offset % PART_BYTES === 0)).toBe(true);
  expect(source.asked.length).toBe(whole.parts.length); // each part once, however often it is read
});

test("a cut at every boundary, and one byte to each side, is a cut-off after authentic bytes", async () => {
  const edges = [168, 168 + 65_552, 168 + 16, 2 * PART_BYTES, PART_BYTES, whole.video.length];
  for (const edge of edges) {
    for (const size of [edge - 1, edge, edge + 1].filter((size) => size < whole.video.length)) {
      const data = whole.video.subarray(0, size);
      const { released, code } = await streamed(data, whole.key, whole.video.length, whole.parts, 65_536);
      expect(code).toBe("video-cut-off");
      expect(equalBytes(released, plaintext.subarray(0, released.length))).toBe(true);
      const source = sourceOf(data, whole.video.length);
      const byRange = await outcome(async () => (await openVideo(whole.key, source, whole.parts)).verifyEnd());
      expect(byRange.code).toBe("video-cut-off");
    }
  }
});

test("a file that was signed without its end is still cut off", async () => {
  for (const chunks of [0, 1, 3, 4]) {
    const data = whole.video.slice(0, 168 + 16 + chunks * 65_552);
    const hasher = new PartHasher();
    await hasher.push(data);
    const { code } = await streamed(data, whole.key, data.length, await hasher.finish(), 65_536);
    expect(code).toBe("video-cut-off");
  }
});

test("a wrong part is refused before anything of it is opened, by stream and by range", async () => {
  for (const index of [0, 1, 2]) {
    const data = whole.video.slice();
    data[index * PART_BYTES + 77] = (data[index * PART_BYTES + 77] ?? 0) ^ 1;
    const { released, code } = await streamed(data, whole.key, data.length, whole.parts, 2 ** 30);
    expect(code).toBe("video-part-swapped");
    expect(released.length).toBeLessThanOrEqual(index * PART_BYTES);
    const source = sourceOf(data, data.length);
    const { code: byRange } = await outcome(async () => {
      const video = await openVideo(whole.key, source, whole.parts);
      return video.read(Math.max(0, index * PART_BYTES - 1000), 2000);
    });
    expect(byRange).toBe("video-part-swapped");
  }
});

test("a failed fetch passes through, and the part is asked for again", async () => {
  const source = sourceOf(whole.video, whole.video.length);
  let offline = false;
  const read = (offset: number, length: number) =>
    offline ? Promise.reject(new Error("offline")) : source.read(offset, length);
  const video = await openVideo(whole.key, { size: source.size, read }, whole.parts);
  offline = true;
  await expect(video.read(400_000, 10)).rejects.toThrow("offline");
  offline = false;
  expect(await video.read(400_000, 10)).toEqual(plaintext.slice(400_000, 400_010));
});

test("another key is no key, and failures are of two sorts", async () => {
  const source = sourceOf(whole.video, whole.video.length);
  const { code } = await outcome(() => openVideo(newMessageKey(), source, whole.parts));
  expect(code).toBe("video-damaged");
  expect(videoFailure(new ProtocolError("video-cut-off"))).toBe("cut-off");
  expect(videoFailure(new ProtocolError("video-part-swapped"))).toBe("damaged");
  expect(videoFailure(new Error("offline"))).toBe(null);
});

test("more than fits 64 MiB is refused before it is sealed", async () => {
  const seal = sealVideo(newMessageKey());
  const output = collected(seal.readable);
  output.catch(() => undefined);
  const writer = seal.writable.getWriter();
  const too = writer.write(new Uint8Array(MAX_PLAIN_BYTES + 1));
  await expect(too).rejects.toMatchObject({ code: "video-too-large" });
  await expect(output).rejects.toMatchObject({ code: "video-too-large" });
});

test("the padding makes every live recording a multiple of 64 KiB and is a box", async () => {
  const { padme: sizes, padding } = (await values("values.json")) as {
    padme: Record<string, number>;
    padding: { size: number; live: number; file: number }[];
  };
  for (const [size, padded] of Object.entries(sizes)) expect(padme(Number(size))).toBe(padded);
  for (const { size, live, file: padded } of padding) {
    expect([size + paddingBytes(size, "live"), size + paddingBytes(size, "file")]).toEqual([live, padded]);
  }
  const box = livePadding(100_000);
  expect(new DataView(box.buffer).getUint32(0)).toBe(box.length);
  expect(new TextDecoder().decode(box.subarray(4, 8))).toBe("free");
  expect((100_000 + box.length) % 65_536).toBe(0);
  expect(() => livePadding(MAX_PLAIN_BYTES + 1)).toThrow("video-too-large");
});
