import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { FragmentReader, type Unit } from "../../src/media/fragments";
import { forgetOrigin } from "../../src/media/origin";
import { endPrefix } from "../../src/media/repair";
import { film } from "./film";

let recording: Uint8Array;
beforeAll(async () => {
  recording = await film({ seconds: 5, fps: 5 });
});

function read(bytes: Uint8Array, cuts: number[] = []): Unit[] {
  const reader = new FragmentReader();
  const ends = [...cuts.filter((cut) => cut < bytes.length), bytes.length].sort((one, other) => one - other);
  return ends.flatMap((end, index) => reader.push(bytes.subarray(ends[index - 1] ?? 0, end)));
}

describe("reading fragments", () => {
  test("tells tracks, codecs and times", () => {
    const [head, ...fragments] = read(recording);
    expect(head?.kind === "head" && head.movie.type).toBe('video/mp4; codecs="avc1.64001e, mp4a.40.2"');
    expect(head?.kind === "head" && head.movie.tracks[0]).toMatchObject({ width: 640, height: 480, kind: "video" });
    expect(fragments.map((unit) => unit.kind === "fragment" && unit.startS).slice(0, 5)).toEqual([0, 1, 2, 3, 4]);
    expect(fragments[4]).toMatchObject({ endS: 5 });
  });

  test("the cuts of what is pushed do not matter", () => {
    const whole = read(recording);
    fc.assert(
      fc.property(fc.array(fc.nat({ max: recording.length }), { maxLength: 30 }), (cuts) => {
        // `toEqual` looks at each of a million bytes by itself.
        expect(isDeepStrictEqual(read(recording, cuts), whole)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  test("byte by byte it is the same", () => {
    const cuts = Array.from({ length: recording.length }, (_, index) => index + 1);
    expect(read(recording.subarray(0, 8000), cuts.slice(0, 7999))).toEqual(read(recording.subarray(0, 8000)));
  });

  test("it can begin at any fragment", () => {
    const units = read(recording);
    const [head] = units;
    const third = units[3];
    if (head?.kind !== "head" || third?.kind !== "fragment") throw new TypeError("no such film");
    const later = new FragmentReader(head.movie, third.start).push(recording.subarray(third.start));
    expect(later).toEqual(units.slice(3));
  });

  test("what is no MP4 is a RangeError or nothing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          expect(read(bytes)).toEqual([]);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});

describe("ending a cut recording", () => {
  test("keeps exactly the whole fragments of any prefix", () => {
    const fragments = read(recording).filter((unit) => unit.kind === "fragment");
    fc.assert(
      fc.property(fc.nat({ max: recording.length }), (at) => {
        const whole = fragments.filter(({ end }) => end <= at);
        const ended = endPrefix(recording.subarray(0, at));
        expect(ended?.data.length ?? 0).toBe(whole.at(-1)?.end ?? 0);
        if (ended)
          expect(ended).toMatchObject({ width: 640, height: 480, ms: Math.round((whole.at(-1)?.lastS ?? 0) * 1000) });
      }),
    );
  });

  test("ending twice is ending once", () => {
    const once = endPrefix(recording.subarray(0, recording.length - 100));
    expect(endPrefix(once?.data ?? new Uint8Array())).toEqual(once);
  });

  test("what follows as noise is left out", () => {
    const noisy = new Uint8Array([...recording.subarray(0, recording.length - 300), ...Array<number>(500).fill(0)]);
    expect(endPrefix(noisy)?.ms).toBeGreaterThan(3900);
    expect(noisy.length).toBeGreaterThan(endPrefix(noisy)?.data.length ?? Infinity);
  });
});

test("a file that forgets its origin has no clock and no program in it", async () => {
  const plain = await film({ seconds: 1, kind: "in-memory" });
  const size = plain.length;
  expect(new TextDecoder("latin1").decode(plain)).toContain("Mediabunny");
  forgetOrigin(plain);
  expect(new TextDecoder("latin1").decode(plain)).not.toContain("Mediabunny");
  expect(plain.length).toBe(size);
  expect(read(plain)[0]).toMatchObject({ movie: { isFragmented: false } });
});
