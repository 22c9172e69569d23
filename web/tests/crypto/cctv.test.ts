// The C2SP vectors: each opens, or is refused for the very reason it was made for, however it is cut.

import { describe, expect, test } from "vitest";
import { AgeError, newX25519Identity, openHeader, unseal } from "../../src/crypto/age";
import { ChunkOpener } from "../../src/crypto/payload";
import { concat } from "../../src/protocol/encoding";
import { cctv, cut, hexSha256, type Vector } from "../protocol/vectors";

const FAULTS: Record<string, string[]> = {
  "HMAC failure": ["header"],
  "header failure": ["header"],
  "no match": ["no-match"],
  "payload failure": ["payload", "truncated"],
};

interface Case {
  vector: Vector;
  name: string;
  data: Uint8Array<ArrayBuffer>;
  identities: string[];
}

/** Armoured files, and files to passphrases alone, are refused whole: nothing here makes them. */
function isRead({ vector, identities }: Case): boolean {
  return !vector.maybe("armored") && (!vector.maybe("passphrase") || identities.length > 0);
}

async function load(vector: Vector): Promise<Case> {
  let data = vector.body;
  if (vector.maybe("compressed")) {
    const plain = new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate"));
    data = new Uint8Array(await new Response(plain).arrayBuffer());
  }
  return { vector, name: vector.name, data, identities: vector.texts("identity") };
}

const cases = await Promise.all((await cctv()).map(load));
const judged = cases.filter(isRead);
const refused = cases.filter((one) => !isRead(one));

async function attempt(run: (release: (plaintext: Uint8Array) => void) => Promise<void>) {
  const released: Uint8Array[] = [];
  try {
    await run((plaintext) => released.push(plaintext));
    return { released: concat(...released), fault: null };
  } catch (error) {
    if (!(error instanceof AgeError)) throw error;
    return { released: concat(...released), fault: error.fault };
  }
}

function streamed({ data, identities }: Case, step: number) {
  return attempt(async (release) => {
    const { cipher, start } = await openHeader(data, identities);
    const opener = new ChunkOpener(cipher);
    for (const piece of cut(data.subarray(start), step)) for (const plaintext of opener.push(piece)) release(plaintext);
    release(opener.finish());
  });
}

test("every vector is judged, or of a form that is refused whole", () => {
  const armored = refused.filter(({ vector }) => vector.maybe("armored"));
  expect([cases.length, judged.length, armored.length]).toEqual([143, 86, 33]);
});

describe.each([2 ** 30, 9_973])("in cuts of %i bytes", (step) => {
  test.each(judged)("$name opens or is refused for its reason", async (one) => {
    const { released, fault } = await streamed(one, step);
    const expected = one.vector.text("expect");
    expect(expected === "success" ? [null] : FAULTS[expected]).toContain(fault);
    expect(await hexSha256(released)).toBe(one.vector.maybe("payload") ?? (await hexSha256(new Uint8Array(0))));
  });
});

test.each(judged)("$name opened whole ends alike", async (one) => {
  const whole = await attempt(async (release) => release(await unseal(one.data, one.identities)));
  const expected = one.vector.text("expect");
  expect(expected === "success" ? [null] : FAULTS[expected]).toContain(whole.fault);
  if (expected === "success") expect(await hexSha256(whole.released)).toBe(one.vector.text("payload"));
});

test.each(refused)("$name is refused whole", async (one) => {
  const identities = one.identities.length ? one.identities : [newX25519Identity()];
  const { released, fault } = await streamed(one, 2 ** 30);
  expect(released.length).toBe(0);
  expect(["header", "no-match"]).toContain(fault);
  expect((await attempt(async (release) => release(await unseal(one.data, identities)))).released.length).toBe(0);
});

test("a header is refused wherever it is cut, byte by byte", async () => {
  const one = judged.find(({ name }) => name === "x25519");
  if (!one) throw new Error("no vector x25519");
  const { start } = await openHeader(one.data, one.identities);
  for (let size = 0; size < start; size++) {
    await expect(openHeader(one.data.subarray(0, size), one.identities)).rejects.toMatchObject({ fault: "header" });
  }
});
