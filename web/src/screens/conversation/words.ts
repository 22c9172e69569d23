import { m } from "../../i18n/messages";
import { failureWords } from "../failures";
import { clock, moment, when } from "../format";
import { signedWords } from "../sent/words";
import type { LineView } from "./props";

/** What stands for a line in one line of another. */
export function briefWords(line: LineView): string {
  if (line.kind === "video") return line.text || m.talk_video({ length: clock(line.durationMs) });
  return line.text || m.talk_closed();
}

/** Below a line: when it was, and how far one's own came. */
export function noteWords(line: LineView, now: number): string {
  const at = moment(line.at, now);
  if (line.isGoing) return line.failure ? failureWords(line.failure).title : m.talk_going();
  if (!line.isMine) return at;
  const isVideo = line.kind === "video";
  if (line.playedAt !== null) {
    const seen = { at: when(line.playedAt, now) };
    return signedWords(`${at}. ${isVideo ? m.talk_played(seen) : m.talk_read(seen)}`, line, "played");
  }
  const words = `${at}. ${line.deliveredAt === null ? m.talk_stored() : m.talk_delivered()}`;
  return signedWords(words, line, "delivered");
}

/** A word of each sign, for readers. */
export const REACTIONS = [
  { sign: "❤️", word: m.react_heart },
  { sign: "👍", word: m.react_yes },
  { sign: "👏", word: m.react_clap },
  { sign: "😂", word: m.react_laugh },
  { sign: "😮", word: m.react_wow },
  { sign: "😢", word: m.react_sad },
] as const;

/** The sign that readers hear by its word; others as they are. */
export function reactionWord(sign: string): string {
  return REACTIONS.find((each) => each.sign === sign)?.word() ?? sign;
}

/** `❤️ A heart`: to be seen and heard where nothing else stands. */
export function signWords(sign: string): string {
  const word = reactionWord(sign);
  return word === sign ? sign : `${sign} ${word}`;
}
