import { expect, test } from "vitest";
import { answersTo, conversationWith, type Line } from "../../src/state/conversation";
import type { Content, Letter, SentLetter } from "../../src/state/letters";
import type { Note } from "../../src/storage/notes";

const ANN = "ann@post.example";
const BOB = "bob@post.example";

const content = (createdMs: number, more: Partial<Content>): Content => ({
  kind: "text",
  createdMs,
  messageKey: "",
  caption: "",
  video: null,
  posterType: null,
  ...more,
});
const received = (id: string, at: number, more: Partial<Content> = {}, from: string | null = ANN): Letter => ({
  ...{ id, from, receivedAt: at + 5, fetchedAt: null, playedAt: null, owes: null, isDropped: false, code: null },
  content: content(at, more),
});
const sent = (id: string, at: number, more: Partial<Content> = {}, to = [ANN]): SentLetter => ({
  ...{ id, receivedAt: at + 5, bytes: 0, code: null },
  deliveries: to.map((acct) => ({ acct, deliveredAt: null, playedAt: acct === ANN ? 9 : null })),
  content: content(at, more),
});
const note = (id: string, createdMs: number, to = ANN): Note => ({
  ...{ id, createdMs, to, kind: "text", text: "on its way", replyTo: null, messageKey: "", request: null },
});
const ids = (lines: readonly Line[]): string[] => lines.map(({ id }) => id);

test("a conversation has what went between the two, as its writers dated it, and nobody else's", () => {
  const lines = conversationWith(ANN, {
    received: [received("3", 30), received("1", 10), received("x", 15, {}, BOB), received("y", 16, {}, null)],
    sent: [sent("2", 20, {}, [BOB, ANN]), sent("z", 25, {}, [BOB])],
    going: [note("4", 40), note("w", 41, BOB)],
  });
  expect(ids(lines)).toEqual(["1", "2", "3", "4"]);
  expect(lines.map(({ isMine, isGoing }) => [isMine, isGoing])).toEqual([
    [false, false],
    [true, false],
    [false, false],
    [true, true],
  ]);
  expect(lines[1]?.playedAt).toBe(9);
});

test("words that the server has are no longer on their way", () => {
  const lines = conversationWith(ANN, { received: [], sent: [sent("1", 10)], going: [note("1", 10)] });
  expect(lines.map(({ isGoing }) => isGoing)).toEqual([false]);
});

test("a sign stands at what it is about, the latest of each side; without that it stands alone", () => {
  const about = { kind: "reaction", replyTo: "1" } as const;
  const lines = conversationWith(ANN, {
    received: [
      received("1", 10),
      received("2", 20, { ...about, caption: "A" }),
      received("4", 40, { ...about, caption: "C" }),
    ],
    sent: [sent("3", 30, { ...about, caption: "B" }), sent("5", 50, { ...about, caption: "D", replyTo: "gone" })],
    going: [],
  });
  expect(ids(lines)).toEqual(["1", "5"]);
  expect(lines[0]?.reactions).toEqual([
    { isMine: true, text: "B" },
    { isMine: false, text: "C" },
  ]);
});

test("a thread is what answers a message, and what answers that", () => {
  const lines = conversationWith(ANN, {
    received: [received("1", 10), received("3", 30, { replyTo: "2" }), received("5", 50, { replyTo: "4" })],
    sent: [sent("2", 20, { replyTo: "1" }), sent("4", 40)],
    going: [],
  });
  expect(ids(answersTo("1", lines))).toEqual(["2", "3"]);
  expect(ids(answersTo("4", lines))).toEqual(["5"]);
  expect(answersTo("3", lines)).toEqual([]);
});
