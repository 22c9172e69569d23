import { expect, test } from "vitest";
import { mendDescription } from "../../src/media/picture-description.ts";

/** As Firefox 153 on Linux gave it for 1280 x 720. */
const DOUBLED = "0164001f0301001967" + "6764001facd9405005ba10000003001001e84800f1831960" + "01000668" + "68ebecb22c";
const RIGHT = "0164001fffe10018" + "6764001facd9405005ba10000003001001e84800f1831960" + "010005" + "68ebecb22cfdf8f800";

function bytes(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function afterwards(description: Uint8Array<ArrayBuffer> | ArrayBuffer, codec = "avc1.64001f"): string | undefined {
  const meta = { decoderConfig: { codec, description } } as { decoderConfig: VideoDecoderConfig };
  mendDescription(meta);
  const { description: after } = meta.decoderConfig;
  return Array.from(new Uint8Array(after as Uint8Array<ArrayBuffer>), (each) =>
    each.toString(16).padStart(2, "0"),
  ).join("");
}

test("parameter sets that begin twice begin once afterwards", () => {
  expect(afterwards(bytes(DOUBLED))).toBe(RIGHT);
  expect(afterwards(bytes(DOUBLED).buffer)).toBe(RIGHT);
});

test("what needs no mending stays as it is", () => {
  expect(afterwards(bytes(RIGHT))).toBe(RIGHT);
  expect(afterwards(bytes(DOUBLED), "vp09.00.31.08")).toBe(DOUBLED);
  expect(() => mendDescription(undefined)).not.toThrow();
  expect(() => mendDescription({})).not.toThrow();
});
