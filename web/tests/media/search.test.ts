import fc from "fast-check";
import { expect, test } from "vitest";
import { FragmentReader, type Fragment } from "../../src/media/fragments";
import { Loaded } from "../../src/media/loaded";
import type { Movie } from "../../src/media/movie";
import type { Plaintext } from "../../src/media/plaintext";
import { findFragment } from "../../src/media/search";
import { film } from "./film";

interface Known {
  video: Plaintext;
  movie: Movie;
  head: number;
  fragments: Fragment[];
  reads: () => number;
}

async function known(weight: (picture: number) => number, seconds = 60): Promise<Known> {
  const bytes = await film({ seconds, weight });
  let reads = 0;
  const read = (offset: number, length: number): Promise<Uint8Array> => {
    reads += 1;
    return Promise.resolve(bytes.subarray(offset, offset + length));
  };
  const video = { plainSize: bytes.length, read, stream: () => new ReadableStream<Uint8Array>() };
  const [head, ...rest] = new FragmentReader().push(bytes);
  if (head?.kind !== "head") throw new TypeError("no head");
  const fragments = rest.filter((unit) => unit.kind === "fragment");
  return { video, movie: head.movie, head: head.end, fragments, reads: () => reads };
}

const rates: [string, (picture: number) => number][] = [
  ["even", () => 9000],
  ["heavy at the end", (picture) => 200 + picture * 40],
  ["heavy at the start", (picture) => (picture < 100 ? 40_000 : 300)],
  ["uneven", (picture) => 100 + ((picture * 7919) % 20_000)],
];

test.each(rates)("finds the fragment of any time: %s", async (_, weight) => {
  const { video, movie, head, fragments, reads } = await known(weight);
  await fc.assert(
    fc.asyncProperty(fc.double({ min: 0, max: 59.9, noNaN: true }), async (timeS) => {
      const before = reads();
      const end = { offset: video.plainSize, startS: 60 };
      const place = await findFragment(video, movie, timeS, { offset: head, startS: 0 }, end);
      const exact = fragments.findLast(({ startS }) => startS <= timeS);
      expect(place.startS).toBeLessThanOrEqual(timeS);
      expect((exact?.startS ?? 0) - place.startS).toBeLessThanOrEqual(2);
      expect(fragments.some(({ start }) => start === place.offset) || place.offset === head).toBe(true);
      expect(reads() - before).toBeLessThanOrEqual(30);
    }),
    { numRuns: 25 },
  );
});

test("with an even rate it is exact in three reads", async () => {
  const { video, movie, head, fragments, reads } = await known(() => 9000);
  const place = await findFragment(
    video,
    movie,
    41.5,
    { offset: head, startS: 0 },
    { offset: video.plainSize, startS: 60 },
  );
  expect(place.offset).toBe(fragments[41]?.start);
  expect(reads()).toBeLessThanOrEqual(3);
});

test("what is loaded is whole only without a hole", async () => {
  const { head, fragments } = await known(() => 900, 5);
  fc.assert(
    fc.property(fc.subarray(fragments.map((_, index) => index)), (indexes) => {
      const loaded = new Loaded();
      loaded.first = head;
      loaded.tail = fragments.at(-1)?.end ?? null;
      for (const index of indexes) {
        const fragment = fragments[index];
        if (fragment) loaded.add(fragment.start, fragment);
      }
      expect(loaded.isWhole).toBe(indexes.length === fragments.length);
      const hole = fragments.map((_, index) => index).find((index) => !indexes.includes(index));
      expect(loaded.follow(head)).toBe(hole === undefined ? loaded.tail : fragments[hole]?.start);
    }),
  );
});
