// Files of another maker, with pictures out of order and a beginning that is not to be shown; ffmpeg is the judge.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { toFaststart } from "../../src/media/save";

const SOURCES = ["-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=2", "-f", "lavfi", "-i", "sine=f=440:d=2"];
const SOUND = ["-c:a", "aac", "-ar", "48000"];
const PICTURES = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p"];
const DELAYED = ["-f", "mp4", "-movflags", "frag_keyframe+empty_moov+default_base_moof+delay_moov"];
const MAKERS: [string, string[]][] = [
  ["pictures out of order, sound with its run-up", [...SOURCES, ...PICTURES, "-bf", "2", ...SOUND, ...DELAYED]],
  ["sound that begins late", [...SOURCES, "-af", "asetpts=PTS+0.3/TB", ...PICTURES, ...SOUND, ...DELAYED]],
  [
    "places counted from the file’s begin",
    [...SOURCES, ...PICTURES, ...SOUND, "-f", "mp4", "-movflags", "frag_keyframe+empty_moov"],
  ],
  ["the first samples in the index", [...SOURCES, ...PICTURES, ...SOUND, "-f", "mp4", "-movflags", "frag_keyframe"]],
  ["no sound", [...SOURCES.slice(0, 4), ...PICTURES, ...DELAYED]],
  ["no fragments", [...SOURCES, ...PICTURES, ...SOUND, "-f", "mp4"]],
];
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "saving-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const ffmpeg = (...args: string[]): string =>
  execFileSync("ffmpeg", ["-v", "error", "-y", ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });

interface Shown {
  at: number;
  hash: string;
}

/** What is shown or heard when: each decoded picture or sound by time, in seconds, and hash. */
function shown(path: string, stream: "v" | "a"): Shown[] {
  const lines = ffmpeg("-i", path, "-map", `0:${stream}`, "-vsync", "0", "-enc_time_base", "-1", "-f", "framemd5", "-").split("\n"); // prettier-ignore
  const [, over = "1"] = /#tb 0: 1\/(\d+)/.exec(lines.join("\n")) ?? [];
  return lines
    .filter((line) => line && !line.startsWith("#"))
    .map((line) => line.split(",").map((field) => field.trim()))
    .map(([, , pts, , , hash]) => ({ at: Number(pts) / Number(over), hash: hash ?? "" }));
}

/** Asserts that one is the other, counted from the first picture; what stands before the beginning of sound may be gone. */
function expectSame(after: Shown[], before: Shown[], [first, firstBefore]: [number, number]): void {
  const gone = before.length - after.length;
  expect(gone).toBeGreaterThanOrEqual(0);
  expect(gone).toBeLessThanOrEqual(1);
  const kept = before.slice(gone);
  expect(after.map(({ hash }) => hash)).toEqual(kept.map(({ hash }) => hash));
  after.forEach(({ at }, number) => expect(at - first).toBeCloseTo((kept[number]?.at ?? NaN) - firstBefore, 2));
}

test.each(MAKERS)("%s: the saved file shows the same at the same times", async (_, made) => {
  const path = { before: join(folder, "before.mp4"), after: join(folder, "after.mp4") };
  ffmpeg(...made, path.before);
  const film = new Blob([readFileSync(path.before)]);
  const saved = await toFaststart({ plainSize: film.size, stream: (from) => film.slice(from).stream() });
  writeFileSync(path.after, new Uint8Array(await saved.arrayBuffer()));
  const [pictures, before] = [shown(path.after, "v"), shown(path.before, "v")];
  expect(pictures.length).toBe(50);
  const firsts: [number, number] = [pictures[0]?.at ?? NaN, before[0]?.at ?? NaN];
  expectSame(pictures, before, firsts);
  if (made.includes("-c:a")) expectSame(shown(path.after, "a"), shown(path.before, "a"), firsts);
  expect(ffmpeg("-i", path.after, "-vsync", "0", "-enc_time_base", "-1", "-f", "null", "-")).toBe("");
});
