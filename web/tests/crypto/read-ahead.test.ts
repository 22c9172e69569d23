// What a page reads of a video that its worker opens: in order, a few blocks ahead, and everything that is authentic before an error.

import { expect, test } from "vitest";
import { CHUNK_BYTES } from "../../src/crypto/layout";
import { readAhead } from "../../src/crypto/read-ahead";
import { concat, equalBytes } from "../../src/protocol/encoding";

const SIZE = 20 * CHUNK_BYTES + 777;
const film = new Uint8Array(SIZE).map((_, at) => (at * 31) % 251);

interface Line {
  asked: [number, number][];
  ended: number;
  most: number;
  /** Everything at or after it fails. */
  spoiltAt: number;
  read(offset: number, length: number): Promise<Uint8Array>;
  end(): Promise<void>;
}

function line(spoiltAt = Infinity): Line {
  let now = 0;
  return {
    asked: [],
    ended: 0,
    most: 0,
    spoiltAt,
    async read(offset, length) {
      this.asked.push([offset, length]);
      this.most = Math.max(this.most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 1));
      now -= 1;
      if (offset + length > this.spoiltAt) throw Object.assign(new Error("spoilt"), { code: "video-part-swapped" });
      return film.slice(offset, offset + length);
    },
    async end() {
      this.ended += 1;
    },
  };
}

async function drained(from: number, over: Line): Promise<{ bytes: Uint8Array; code: unknown }> {
  const reader = readAhead(from, SIZE, (at, length) => over.read(at, length), () => over.end()).getReader(); // prettier-ignore
  const pieces: Uint8Array[] = [];
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) pieces.push(next.value);
    return { bytes: concat(...pieces), code: null };
  } catch (error) {
    return { bytes: concat(...pieces), code: (error as { code?: unknown }).code };
  }
}

test.each([0, 1, CHUNK_BYTES, 5 * CHUNK_BYTES + 13, SIZE - 1, SIZE])(
  "all from byte %d on comes in order",
  async (from) => {
    const over = line();
    const { bytes, code } = await drained(from, over);
    expect(code).toBeNull();
    expect(bytes.length).toBe(SIZE - from);
    expect(bytes.every((byte, at) => byte === film[from + at])).toBe(true);
    expect(over.ended).toBe(1);
  },
);

test("a few blocks are asked for at a time; the first are single chunks", async () => {
  const over = line();
  await drained(0, over);
  expect(over.most).toBeGreaterThan(1);
  expect(over.most).toBeLessThanOrEqual(4);
  expect(over.asked.slice(0, 4)).toEqual([0, 1, 2, 3].map((at) => [at * CHUNK_BYTES, CHUNK_BYTES]));
  expect(over.asked.length).toBeLessThan(12);
});

test.each([0, 3, 6, 7, 17])("what stands before a spoilt chunk %d comes out before the error", async (chunk) => {
  const over = line(chunk * CHUNK_BYTES + 9);
  const { bytes, code } = await drained(0, over);
  expect(code).toBe("video-part-swapped");
  expect(bytes.length).toBe(chunk * CHUNK_BYTES);
  expect(over.ended).toBe(0);
});

test("a block that failed once is taken up again chunk by chunk, and the rest after it", async () => {
  const over = line();
  let failures = 1;
  const read = over.read.bind(over);
  over.read = async (offset, length) => {
    if (length > CHUNK_BYTES && failures-- > 0) throw new Error("once");
    return read(offset, length);
  };
  const { bytes, code } = await drained(0, over);
  expect([code, bytes.length]).toEqual([null, SIZE]);
  expect(equalBytes(bytes, film)).toBe(true);
});
