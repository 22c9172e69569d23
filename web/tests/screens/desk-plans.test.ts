import { afterEach, expect, test } from "vitest";
import { overwriteGetLocale } from "../../src/i18n/runtime";
import type { DeskGrant, DeskPlan } from "../../src/screens/desk/plans-props";
import { countNote, grantNote, grantWord, wholeNumber } from "../../src/screens/desk/plans-words";
import { beforeWords } from "../../src/screens/record/words";
import { DeskPlansState } from "../../src/state/desk-plans.svelte";
import { Problem } from "../../src/transfer/problem";

afterEach(() => overwriteGetLocale(() => "en"));

const NOW = Date.UTC(2026, 10, 22, 13);
const DAY = 86_400_000;
const PREMIUM: DeskPlan = {
  plan: {
    ...{ id: "premium", name: { en: "Premium", fr: "Mieux" }, price: "4.99", currency: "usd", every: "month" },
    ...{ messages: null, per: "month", kept_bytes: null, retention_days: null, features: [], tax: "none" },
  },
  ...{ paid: 12, ending: 0, late: 1, granted: 0 },
};
const GIFT: DeskGrant = {
  ...{ id: "grt_1", account: "bob", plan: "premium", videos: 0, begins_at: NOW - DAY, ends_at: NOW + 7 * DAY },
  ...{ source: "operator", reference: null, reason: "Thanks", created_at: NOW - DAY },
};

test("what was given is told in words, and so is its end", () => {
  overwriteGetLocale(() => "en");
  expect(countNote(PREMIUM)).toBe("12 paid · 1 late with a payment");
  expect(countNote({ ...PREMIUM, paid: 0, late: 0 })).toBe("");
  expect(grantWord(GIFT, [PREMIUM])).toBe("Premium");
  expect(grantWord({ ...GIFT, plan: "gold" }, [PREMIUM])).toBe("gold");
  expect(grantWord({ ...GIFT, plan: "", videos: 5 }, [])).toBe("Videos: 5");
  expect(grantNote(GIFT, NOW)).toMatch(/^bob · until .*29 Nov.* · Thanks$/);
  expect(grantNote({ ...GIFT, ends_at: NOW }, NOW)).toContain("ended");
  expect(grantNote({ ...GIFT, ends_at: null, source: "manual", reference: "bank 1" }, NOW)).toBe(
    "bob · for good · paid: bank 1 · Thanks",
  );
  overwriteGetLocale(() => "fr");
  expect(grantWord(GIFT, [PREMIUM])).toBe("Mieux");
});

test("only whole numbers in their range are taken", () => {
  expect(["1", " 30 ", "36500"].map((text) => wholeNumber(text, 1, 36_500))).toEqual([1, 30, 36_500]);
  for (const text of ["", "0", "-1", "1.5", "1e3", "36501", "ten"]) expect(wholeNumber(text, 1, 36_500)).toBeNull();
});

test("before a recording it is said that the plan is used up, or that a payment failed", () => {
  overwriteGetLocale(() => "en");
  const here = { roomS: null, unheard: false, offline: false, level: 1 };
  const planLate = { kind: "care", title: "A payment did not go through." } as const;
  expect(beforeWords({ ...here, videosLeft: 3 })).toBeNull();
  expect(beforeWords({ ...here, videosLeft: 0 })?.title).toBe("You have sent the videos of your plan.");
  expect(beforeWords({ ...here, videosLeft: null, planLate })).toEqual(planLate);
  expect(beforeWords({ ...here, videosLeft: 0, planLate })?.title).toBe("You have sent the videos of your plan.");
});

type Asked = { path: string; body?: unknown };
function deskOf(answer: () => Promise<unknown>, asked: Asked[]): DeskPlansState {
  const api = {
    get: (path: string) => Promise.resolve(path.endsWith("plans") ? { on: true } : { items: [] }),
    post: (path: string, body?: unknown) => {
      asked.push({ path, body });
      return answer();
    },
  };
  const verification = { run: (act: () => Promise<unknown>) => act() };
  const tools = { api, part: () => verification, signal: new AbortController().signal };
  return new DeskPlansState(tools as unknown as ConstructorParameters<typeof DeskPlansState>[0]);
}

test("what an operator gives is asked for once, shown, and refused in words", async () => {
  const asked: Asked[] = [];
  const gift = { account: "bob", plan: null, videos: 5, days: 0, reason: "" };
  const desk = deskOf(() => Promise.resolve(GIFT), asked);
  await Promise.all([desk.give(gift), desk.give(gift)]);
  expect(asked).toEqual([{ path: "/api/v1/operator/grants", body: gift }]);
  expect([desk.done, desk.failure, desk.working, desk.phase.kind]).toEqual([GIFT, null, false, "ready"]);

  const refusing = deskOf(() => Promise.reject(new Problem("", { code: "paid-before", status: 409 })), asked);
  await refusing.pay({ account: "bob", plan: "premium", reference: "bank 1", periods: 1, reason: "" });
  expect([refusing.failure?.code, refusing.done, refusing.working]).toEqual(["paid-before", null, false]);
});
