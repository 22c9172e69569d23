/** Captions: read from WebVTT or SRT, kept as plain WebVTT. */

/** One caption: what is said from `fromMs` to `toMs`. Plain text, lines separated by newlines. */
export interface Cue {
  readonly fromMs: number;
  readonly toMs: number;
  readonly text: string;
}

/** As JSON in the details, so that poster, hashes and a caption fit beside it. */
export const CAPTIONS_BYTES = 24 * 1024;
const MOST_CUES = 1000;
const MOST_CHARS = 1 << 20;

/**
 * - `captions-empty`: no caption in it. - `captions-malformed`: `line` cannot be read. - `captions-late`: the caption at `line` begins after the video's end.
 * - `captions-too-large`: more than a message can carry.
 */
export type CaptionsRefusal = "captions-empty" | "captions-malformed" | "captions-late" | "captions-too-large";

export class CaptionsRefused extends Error {
  override readonly name = "CaptionsRefused";

  /** `line` counts from 1. */
  constructor(
    readonly code: CaptionsRefusal,
    readonly line: number | null = null,
  ) {
    super(line === null ? code : `${code} in line ${line}`);
  }
}

const HEAD = /^WEBVTT(?:[ \t].*)?$/u;
const ARROW = "-->";
const TIMES = /^[ \t]*([\d:.,]+)[ \t]*-->[ \t]*([\d:.,]+)(?:[ \t].*)?$/u;
const TIME = /^(?:(\d{1,4}):)?([0-5]?\d):([0-5]?\d)[.,](\d{1,3})$/u;

/**
 * Reads WebVTT or SRT. Notes, styles, regions and places on the screen are left out, and so is all markup.
 * @param endMs the video's length: what is shown beyond it is cut.
 * @throws CaptionsRefused
 */
export function parseCaptions(text: string, endMs = Infinity): Cue[] {
  if (text.length > MOST_CHARS) throw new CaptionsRefused("captions-too-large");
  const lines = text.replace(/^\uFEFF/u, "").split(/\r\n|\r|\n/u);
  const isWebVtt = HEAD.test(lines[0] ?? "");
  const cues: Cue[] = [];
  for (const block of blocksOf(lines, isWebVtt ? 1 : 0)) {
    const cue = readBlock(block, isWebVtt, endMs);
    if (cue !== null) cues.push(cue);
  }
  if (cues.length === 0) throw new CaptionsRefused("captions-empty");
  cues.sort((one, other) => one.fromMs - other.fromMs || one.toMs - other.toMs);
  return checked(cues);
}

function checked(cues: Cue[]): Cue[] {
  const isTooLarge = cues.length > MOST_CUES || weightOf(writeCaptions(cues)) > CAPTIONS_BYTES;
  if (isTooLarge) throw new CaptionsRefused("captions-too-large");
  return cues;
}

/** Captions as they are typed, a line each, without times: each is shown for its share of the video. */
export function spreadCaptions(text: string, ms: number): Cue[] {
  const lines = text.split(/\r\n|\r|\n/u).map((line) => plainText([line]));
  const said = lines.filter((line) => line !== "");
  if (said.length === 0) throw new CaptionsRefused("captions-empty");
  const total = said.reduce((sum, line) => sum + line.length, 0);
  let [chars, fromMs] = [0, 0];
  const cues = said.map((line) => {
    chars += line.length;
    const cue = { fromMs, toMs: Math.round((ms * chars) / total), text: line };
    fromMs = cue.toMs;
    return cue;
  });
  return checked(cues.filter((cue) => cue.toMs > cue.fromMs));
}

/** Whether a text has times of its own. */
export function isTimed(text: string): boolean {
  return text.includes(ARROW) || HEAD.test(text.replace(/^\uFEFF/u, "").split(/\r\n|\r|\n/u)[0] ?? "");
}

/** What a recipient's player is told: the cues of a message's captions, none when they cannot be read. */
export function readCaptions(captions: string | null | undefined): Cue[] {
  if (captions === null || captions === undefined) return [];
  try {
    return parseCaptions(captions);
  } catch (error) {
    if (error instanceof CaptionsRefused) return [];
    throw error;
  }
}

/** Writes WebVTT. */
export function writeCaptions(cues: readonly Cue[]): string {
  const blocks = cues.map(({ fromMs, toMs, text }) => `${timeOf(fromMs)} ${ARROW} ${timeOf(toMs)}\n${escaped(text)}\n`);
  return ["WEBVTT\n", ...blocks].join("\n");
}

/** The captions of a stretch of the video, counted from its beginning. */
export function cutCaptions(cues: readonly Cue[], { fromMs, toMs }: { fromMs: number; toMs: number }): Cue[] {
  return cues
    .filter((cue) => cue.toMs > fromMs && cue.fromMs < toMs)
    .map((cue) => ({
      fromMs: Math.max(cue.fromMs, fromMs) - fromMs,
      toMs: Math.min(cue.toMs, toMs) - fromMs,
      text: cue.text,
    }));
}

interface Block {
  /** Of the first line, from 1. */
  number: number;
  lines: string[];
}

function blocksOf(lines: readonly string[], from: number): Block[] {
  const blocks: Block[] = [];
  let block: Block | null = null;
  for (const [index, line] of lines.entries()) {
    if (index < from) continue;
    if (line.trim() === "") block = null;
    else if (block !== null) block.lines.push(line);
    else blocks.push((block = { number: index + 1, lines: [line] }));
  }
  return blocks;
}

/** Null for what is no caption: a note, a style, the rest of the head, a caption without words. */
function readBlock({ number, lines }: Block, isWebVtt: boolean, endMs: number): Cue | null {
  const at = lines.findIndex((line) => line.includes(ARROW));
  if (at < 0 || at > 1) {
    if (isWebVtt && at < 0) return null;
    throw new CaptionsRefused("captions-malformed", number);
  }
  const line = number + at;
  const [, from, to] = TIMES.exec(lines[at] ?? "") ?? [];
  const [fromMs, toMs] = [msOf(from), msOf(to)];
  if (fromMs === null || toMs === null || toMs <= fromMs) throw new CaptionsRefused("captions-malformed", line);
  const text = plainText(lines.slice(at + 1));
  if (text === "") return null;
  if (fromMs >= endMs) throw new CaptionsRefused("captions-late", line);
  return { fromMs, toMs: Math.min(toMs, endMs), text };
}

function msOf(time: string | undefined): number | null {
  const found = TIME.exec(time ?? "");
  if (found === null) return null;
  const [, hours = "0", minutes, seconds, fraction = ""] = found;
  return (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000 + Number(fraction.padEnd(3, "0"));
}

function timeOf(ms: number): string {
  const pad = (value: number, digits = 2): string => String(value).padStart(digits, "0");
  const seconds = Math.floor(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return `${pad(hours)}:${pad(minutes)}:${pad(seconds % 60)}.${pad(Math.floor(ms) % 1000, 3)}`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&nbsp;": "\u00A0",
  "&lrm;": "\u200E",
  "&rlm;": "\u200F",
};

/** Markup of both formats (`<b>`, `<v Ann>`, `<00:01.000>`, `{\an8}`) goes; what it encloses stays. */
function plainText(lines: readonly string[]): string {
  return (
    lines
      .map((line) => line.replace(/<\/?[a-z\d][^<>]*>|\{\\[^{}]*\}/giu, ""))
      .map((line) => line.replace(/&(?:amp|lt|gt|nbsp|lrm|rlm);/gu, (entity) => ENTITIES[entity] ?? entity))
      // eslint-disable-next-line no-control-regex -- nothing of a file may steer a terminal
      .map((line) => line.replace(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/gu, "").trim())
      .filter((line) => line !== "")
      .join("\n")
  );
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function weightOf(text: string): number {
  return new TextEncoder().encode(JSON.stringify(text)).length;
}
