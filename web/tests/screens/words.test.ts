import { expect, test } from "vitest";
import { overwriteGetLocale } from "../../src/i18n/runtime";
import { threadViews } from "../../src/routes/mail";
import type { InboxItem } from "../../src/screens/inbox/props";
import { subtitleWords } from "../../src/screens/inbox/words";
import { plateWords, spokenWords, truthWords } from "../../src/screens/record/words";
import type { RecordState } from "../../src/screens/record/props";
import { captionRoom, chosenPeople, notYet } from "../../src/screens/review/words";
import type { ReviewProps } from "../../src/screens/review/props";
import { pathSteps, sentWords } from "../../src/screens/sent/words";
import type { DeliveryView } from "../../src/screens/views";
import type { Line } from "../../src/state/conversation";

overwriteGetLocale(() => "en");
const LIMIT = 180_000;
const recording = (keptMs: number, storedMs = keptMs): RecordState => ({
  kind: "recording",
  keptMs,
  storedMs,
  notice: null,
  paused: null,
});

test("a mailbox that fills says how far it is", () => {
  const item = { playedAt: 1, sentAt: 1 } as InboxItem;
  const now = Date.now();
  const words = (count: number): string =>
    subtitleWords({ state: { kind: "loading" }, items: Array.from({ length: count }, () => item), now });
  expect(words(0)).toBe("Unlocking names and pictures on this device.");
  expect(words(1234)).toBe("1,234 so far. The rest comes while you look around.");
});

test("the time left is spoken at 1:00, 0:30 and 0:10 only", () => {
  const spoken = new Map<string, number>();
  for (let second = 0; second < 180; second += 1) {
    const words = spokenWords(recording(second * 1000), LIMIT);
    if (!spoken.has(words)) spoken.set(words, 180 - second);
  }
  expect([...spoken]).toEqual([
    ["", 180],
    ["60 seconds left", 60],
    ["30 seconds left", 30],
    ["10 seconds left", 10],
  ]);
});

test("the plate counts down while it records, and tells the length of what was stopped", () => {
  expect(plateWords(recording(46_000), LIMIT)).toBe("2:14 left");
  expect(plateWords({ kind: "stopped", why: "limit", keptMs: LIMIT, storedMs: 0 }, LIMIT)).toBe("3:00");
  expect(plateWords({ kind: "ready" }, LIMIT)).toBeNull();
});

test("the truth line never says stored of what is only kept", () => {
  const line = (state: RecordState): string => truthWords({ state, to: null, limitMs: LIMIT });
  expect(line(recording(46_000, 44_000))).toBe("All kept on this device. 0:44 of 0:46 stored.");
  expect(line({ kind: "stopped", why: "limit", keptMs: LIMIT, storedMs: LIMIT })).toBe("3:00 kept and stored.");
  expect(line({ kind: "stopped", why: "limit", keptMs: LIMIT, storedMs: LIMIT - 1 })).toContain("2:59 of it stored");
  expect(line({ kind: "denied" })).toBe("Nothing has been recorded.");
});

const ANN: DeliveryView["person"] = { account: "ann", name: "Ann", trust: "none" };
const BOB: DeliveryView["person"] = { account: "bob", name: "Bob", trust: "none" };
const delivery = (person = ANN, deliveredAt: number | null = null, playedAt: number | null = null): DeliveryView => ({
  person,
  deliveredAt,
  playedAt,
});
const states = (...deliveries: DeliveryView[]): string[] =>
  pathSteps(deliveries, { keptAt: 1, storedAt: 2, stored: "1 MB", now: 9 }).map((step) => step.state);

test("a path has one step of now, and none after everybody has played", () => {
  expect(states(delivery())).toEqual(["done", "done", "now", "later"]);
  expect(states(delivery(ANN, 3))).toEqual(["done", "done", "done", "now"]);
  expect(states(delivery(ANN, 3, 4))).toEqual(["done", "done", "done", "done"]);
});

test("delivered to one of two is not delivered", () => {
  expect(states(delivery(ANN, 3, 4), delivery(BOB))).toEqual(["done", "done", "now", "later"]);
  expect(sentWords([delivery(ANN, 3), delivery(BOB)], 2, 9)).toContain("Delivered 1 of 2");
  expect(sentWords([delivery(ANN, 3, 4), delivery(BOB)], 2, 9)).toContain("Played 1 of 2");
});

test("played counts as delivered, whatever order the marks come in", () => {
  expect(states(delivery(ANN, null, 4))).toEqual(["done", "done", "done", "done"]);
});

const review = (more: Partial<ReviewProps>): ReviewProps =>
  ({
    recipients: ["ann"],
    people: [ANN],
    caption: "",
    captionBytes: 10,
    editing: { trimming: null, failure: null, captions: null, done: null },
    ...more,
  }) as ReviewProps;

test("nothing is sent to nobody, nor with a caption that is too long", () => {
  expect(notYet(review({}), false)).toBeUndefined();
  expect(notYet(review({ recipients: [] }), false)).toBe("Choose who it is for first.");
  expect(notYet(review({ caption: "é".repeat(5) }), false)).toBeUndefined();
  expect(notYet(review({ caption: "é".repeat(6) }), false)).toContain("2 characters too long");
  expect(captionRoom(review({ caption: "abc" }))).toBe(7);
});

test("nothing is sent whole while its ends are drawn in or being cut", () => {
  const editing = { trimming: 0.4, failure: null, captions: null, done: null };
  expect(notYet(review({}), true)).toBe("Cut it first, or keep all of it.");
  expect(notYet(review({ editing }), false)).toBe("The cut is being made.");
});

test("somebody who is no contact any more keeps their address", () => {
  expect(chosenPeople(review({ recipients: ["bob", "ann"] })).map((person) => person.name)).toEqual(["bob", "Ann"]);
});

test("what was said about a video is what it answers, the signs of both, and the answers", () => {
  const line = (id: string, more: Partial<Line>): Line => {
    const nothing = {
      isMine: false,
      atMs: 1,
      text: id,
      durationMs: 4000,
      code: null,
      deliveredAt: null,
      playedAt: null,
    };
    return { ...nothing, id, kind: "text", answers: null, reactions: [], isGoing: false, ...more };
  };
  const reactions = [
    { isMine: true, text: "❤️" },
    { isMine: false, text: "🥭" },
  ];
  const lines = [
    line("asked", { isMine: true }),
    line("film", { kind: "video", answers: "asked", reactions }),
    line("said", { answers: "film" }),
    line("else", {}),
  ];
  const views = threadViews("film", lines, { account: "ann", name: "Ann", trust: "none" });
  expect(views.map(({ who, words }) => [who, words])).toEqual([
    ["You", "asked"],
    ["You", "❤️ A heart"],
    ["Ann", "🥭"],
    ["Ann", "said"],
  ]);
  expect(new Set(views.map(({ id }) => id)).size).toBe(views.length);
});
