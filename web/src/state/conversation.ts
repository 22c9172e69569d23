/** All that went between this account and one other, in the order it was said; what answers what. */

import type { Kind } from "../crypto/service";
import { sentAt, type Letter, type ReceiptWord, type SentLetter } from "./letters";
import type { Note } from "../storage/notes";

export interface Reaction {
  readonly isMine: boolean;
  readonly text: string;
}

export interface Line {
  readonly id: string;
  readonly isMine: boolean;
  readonly atMs: number;
  /** Null when it does not open; `code` says why. */
  readonly kind: Kind | null;
  readonly text: string;
  readonly durationMs: number;
  readonly code: string | null;
  /** Of one's own: how far it came. Of theirs: when it was played or read here. */
  readonly deliveredAt: number | null;
  readonly playedAt: number | null;
  /** What its recipient signed of it. */
  readonly confirmed?: ReceiptWord;
  /** The message that it answers. */
  readonly answers: string | null;
  /** The latest of each side. */
  readonly reactions: readonly Reaction[];
  /** Words that are not on the server yet. */
  readonly isGoing: boolean;
}

export interface Boxes {
  readonly received: readonly Letter[];
  readonly sent: readonly SentLetter[];
  /** Words on their way. */
  readonly going: readonly Note[];
}

/** The lines with one account, the oldest first. Reactions stand at what they are about, while that is there. */
export function conversationWith(acct: string, { received, sent, going }: Boxes): Line[] {
  const mine = sent.filter(({ deliveries }) => deliveries.some((to) => to.acct === acct));
  const known = new Set(mine.map(({ id }) => id));
  const lines = [
    ...received.filter(({ from }) => from === acct).map(theirLine),
    ...mine.map((letter) => ownLine(letter, acct)),
    ...going.filter(({ id, to }) => to === acct && !known.has(id)).map(goingLine),
  ].sort((one, other) => one.atMs - other.atMs);
  return withReactions(lines);
}

/** The lines that answer a message, and those that answer them, in their order. */
export function answersTo(id: string, lines: readonly Line[]): Line[] {
  const thread = new Set([id]);
  const found: Line[] = [];
  for (const line of lines) {
    if (line.answers === null || !thread.has(line.answers)) continue;
    thread.add(line.id);
    found.push(line);
  }
  return found;
}

function withReactions(lines: readonly Line[]): Line[] {
  const ids = new Set(lines.filter(({ kind }) => kind !== "reaction").map(({ id }) => id));
  const isMark = ({ kind, answers }: Line): boolean => kind === "reaction" && answers !== null && ids.has(answers);
  const marks = new Map<string, Reaction[]>();
  for (const line of lines.filter(isMark)) {
    const about = line.answers ?? "";
    const others = (marks.get(about) ?? []).filter(({ isMine }) => isMine !== line.isMine);
    marks.set(about, [...others, { isMine: line.isMine, text: line.text }]);
  }
  return lines.filter((line) => !isMark(line)).map((line) => ({ ...line, reactions: marks.get(line.id) ?? [] }));
}

const NOTHING = { deliveredAt: null, playedAt: null, reactions: [], isGoing: false } as const;

function contentLine(letter: Letter | SentLetter): Omit<Line, "isMine"> {
  const { id, content, code } = letter;
  return {
    ...NOTHING,
    id,
    atMs: sentAt(letter),
    kind: content?.kind ?? null,
    text: content?.caption ?? "",
    durationMs: content?.video?.ms ?? 0,
    code,
    answers: content?.replyTo ?? null,
  };
}

function theirLine(letter: Letter): Line {
  const { fetchedAt: deliveredAt, playedAt } = letter;
  return { ...contentLine(letter), isMine: false, deliveredAt, playedAt };
}

function ownLine(letter: SentLetter, acct: string): Line {
  const delivery = letter.deliveries.find((to) => to.acct === acct);
  const { deliveredAt = null, playedAt = null, confirmed } = delivery ?? {};
  return { ...contentLine(letter), isMine: true, deliveredAt, playedAt, ...(confirmed && { confirmed }) };
}

function goingLine({ id, kind, text, createdMs, replyTo }: Note): Line {
  const rest = { durationMs: 0, code: null, answers: replyTo, isMine: true, isGoing: true };
  return { ...NOTHING, ...rest, id, kind, text, atMs: createdMs };
}
