import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  CAPTIONS_BYTES,
  CaptionsRefused,
  cutCaptions,
  isTimed,
  parseCaptions,
  readCaptions,
  spreadCaptions,
  writeCaptions,
} from "../../src/media/captions";
// tests/cli/test_captions.py asks the Python client for the same.
import cases from "./captions.json";

function refusalOf(work: () => unknown): { refusal: string; line: number | null } | null {
  try {
    work();
    return null;
  } catch (error) {
    if (!(error instanceof CaptionsRefused)) throw error;
    return { refusal: error.code, line: error.line };
  }
}

describe("captions", () => {
  it.each(cases)("$name", ({ input, output, refusal, line }) => {
    if (refusal === undefined) expect(writeCaptions(parseCaptions(input))).toBe(output);
    else expect(refusalOf(() => parseCaptions(input))).toEqual({ refusal, line });
  });

  it("come out of WebVTT as they went in", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).map((word) => `x${word.trim()}x`);
    const cue = fc
      .record({ fromMs: fc.nat(170_000), length: fc.integer({ min: 1, max: 9000 }), text })
      .map(({ fromMs, length, text: said }) => ({ fromMs, toMs: fromMs + length, text: said }));
    const inOrder = fc.array(cue, { minLength: 1, maxLength: 8 }).map((cues) => {
      return cues.sort((one, other) => one.fromMs - other.fromMs || one.toMs - other.toMs);
    });
    fc.assert(
      fc.property(inOrder, (cues) => {
        const plain = cues.map((each) => ({ ...each, text: plainly(each.text) }));
        expect(parseCaptions(writeCaptions(plain))).toEqual(plain);
      }),
    );
  });

  it("end with the video, and none begins after it", () => {
    const text = "WEBVTT\n\n00:01.000 --> 00:09.000\nlong\n";
    expect(parseCaptions(text, 3000)).toEqual([{ fromMs: 1000, toMs: 3000, text: "long" }]);
    expect(refusalOf(() => parseCaptions(text, 1000))).toEqual({ refusal: "captions-late", line: 3 });
  });

  it("are no more than a message can carry", () => {
    const cue = (second: number, said: string): string =>
      `00:00:${String(second).padStart(2, "0")}.000 --> 00:01:00.000\n${said}\n`;
    const fits = `WEBVTT\n\n${cue(1, "é".repeat(CAPTIONS_BYTES / 2 - 100))}`;
    const tooLarge = `WEBVTT\n\n${cue(1, "é".repeat(CAPTIONS_BYTES / 2))}`;
    expect(parseCaptions(fits)).toHaveLength(1);
    expect(refusalOf(() => parseCaptions(tooLarge))?.refusal).toBe("captions-too-large");
    const many = Array.from({ length: 1001 }, (_, index) => cue(index % 60, "x")).join("\n");
    expect(refusalOf(() => parseCaptions(many))?.refusal).toBe("captions-too-large");
  });

  it("typed without times are spread over the video", () => {
    expect(isTimed("Hello\nthere")).toBe(false);
    expect(spreadCaptions("Hello\n\nthe <b>w</b>ay\n", 11_000)).toEqual([
      { fromMs: 0, toMs: 4583, text: "Hello" },
      { fromMs: 4583, toMs: 11_000, text: "the way" },
    ]);
    expect(refusalOf(() => spreadCaptions(" \n", 1000))?.refusal).toBe("captions-empty");
  });

  it("of a stretch are counted from its beginning", () => {
    const cues = [
      { fromMs: 0, toMs: 1000, text: "before" },
      { fromMs: 500, toMs: 2500, text: "into" },
      { fromMs: 2000, toMs: 4000, text: "out of" },
      { fromMs: 3000, toMs: 4000, text: "after" },
    ];
    expect(cutCaptions(cues, { fromMs: 1000, toMs: 3000 })).toEqual([
      { fromMs: 0, toMs: 1500, text: "into" },
      { fromMs: 1000, toMs: 2000, text: "out of" },
    ]);
  });

  it("that came damaged are none", () => {
    expect(readCaptions("WEBVTT\n\n00:02.000 --> 00:01.000\nx")).toEqual([]);
    expect(readCaptions(undefined)).toEqual([]);
  });
});

/** What a caption can hold: one line without markup, arrows or signs that steer. */
function plainly(text: string): string {
  // eslint-disable-next-line no-control-regex -- those are what is left out
  return text.replace(/[\u0000-\u001F\u007F-\u009F<>{}\\\u2028\u2029]/gu, "");
}
