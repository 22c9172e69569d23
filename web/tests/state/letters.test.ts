import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fileName } from "../../src/state/downloads";
import { deliveriesOf, inboxOrder, type Letter } from "../../src/state/letters";
import { Hearing } from "../../src/state/recording-room";
import { heldBy } from "../../src/state/held";

const letter = (receivedAt: number, playedAt: number | null): Letter => ({
  id: `msg_${receivedAt}`,
  receivedAt,
  playedAt,
  content: null,
  code: null,
  from: null,
  fetchedAt: null,
  owes: null,
  isDropped: false,
});

test("the inbox begins with what was not played, the newest first", () => {
  const times = fc.record({ at: fc.nat(), playedAt: fc.option(fc.nat()) });
  fc.assert(
    fc.property(fc.array(times), (all) => {
      const sorted = all.map(({ at, playedAt }) => letter(at, playedAt)).sort(inboxOrder);
      const firstPlayed = sorted.findIndex((each) => each.playedAt !== null);
      const played = firstPlayed === -1 ? [] : sorted.slice(firstPlayed);
      expect(played.every((each) => each.playedAt !== null)).toBe(true);
      for (const part of [played, sorted.slice(0, sorted.length - played.length)]) {
        const order = part.map((each) => each.receivedAt);
        expect(order).toEqual([...order].sort((one, other) => other - one));
      }
    }),
  );
});

describe("deliveries", () => {
  test("are those of the recipients that the sender signed, however much more the server tells", () => {
    const told = (recipient: string, fetched_at: number | null, played_at: number | null = null) => {
      return { recipient, fetched_at, played_at, deleted_at: null, delivery_receipt: null, play_receipt: null };
    };
    const wire = { deliveries: [told("bob", 5, 9), told("mallory", 1, 1)] };
    expect(deliveriesOf(["bob@post.example", "mina@post.example"], wire)).toEqual([
      { acct: "bob@post.example", deliveredAt: 5, playedAt: 9 },
      { acct: "mina@post.example", deliveredAt: null, playedAt: null },
    ]);
  });
});

test.each([
  [null, null],
  ["offline", "offline"],
  ["internal", "offline"],
  ["storage-full", "server-full"],
  ["plan-limit", "plan"],
  ["not-signed-in", "signed-out"],
  ["rate-limited", null],
])("trouble %s is told as %s", (trouble, held) => {
  expect(heldBy(trouble)).toBe(held);
});

describe("a file's name", () => {
  const at = new Date(2026, 10, 22, 14, 5).getTime();

  test("says who and when", () => {
    expect(fileName("Ann Adeyemi", at)).toBe("Ann Adeyemi 2026-11-22 14.05.mp4");
    expect(fileName("", at)).toBe("Restante 2026-11-22 14.05.mp4");
  });

  test("has nothing in it that a file system refuses, whatever people call themselves", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (name) => {
        const file = fileName(name, at);
        expect(file).toMatch(/^[^\\/:*?"<>|\p{Cc}]+\.mp4$/u);
        expect(file).not.toMatch(/^[. ]/u);
      }),
    );
    expect(fileName("../../etc/passwd", at)).toBe("etc passwd 2026-11-22 14.05.mp4");
  });
});

test("a microphone is silent when it gives nothing for four seconds, not in a quiet room", () => {
  const hearing = new Hearing(0);
  hearing.hear(0.2, 1000);
  hearing.hear(0, 4000);
  expect(hearing.isSilent(4900)).toBe(false);
  expect(hearing.isSilent(5100)).toBe(true);
  hearing.hear(0.001, 5200);
  expect(hearing.isSilent(6000)).toBe(false);
});
