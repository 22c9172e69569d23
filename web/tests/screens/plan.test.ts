import { afterEach, expect, test } from "vitest";
import { overwriteGetLocale } from "../../src/i18n/runtime";
import type { Plan, Standing } from "../../src/screens/plan/props";
import { aheadWords, offerWords, planName, priceWords, usedWords } from "../../src/screens/plan/words";
import { PlanState, type PlanHouse } from "../../src/state/plan.svelte";
import { Problem } from "../../src/transfer/problem";

afterEach(() => overwriteGetLocale(() => "en"));

const NOW = Date.UTC(2026, 10, 22, 13);
const TRIAL: Plan = {
  id: "trial",
  name: { en: "Trial", fr: "Essai" },
  price: "0",
  currency: "usd",
  every: null,
  messages: 20,
  per: "once",
  kept_bytes: null,
  retention_days: null,
  features: [],
  tax: "none",
};
const PREMIUM: Plan = {
  ...TRIAL,
  id: "premium",
  name: { en: "Premium" },
  price: "4.99",
  every: "month",
  messages: null,
};
const STANDING: Standing = {
  on: true,
  plan: TRIAL,
  state: "free",
  until_at: null,
  used: 17,
  messages: 20,
  anew_at: null,
  kept_bytes: 0,
  kept_most: null,
  retention_days: null,
  features: ["links", "page"],
  offers: [PREMIUM],
  pays_by: "stripe",
  manages: false,
};

test("a price is written as the person's language writes money", () => {
  overwriteGetLocale(() => "en");
  expect(priceWords(PREMIUM)).toMatch(/^(US)?\$4\.99 a month$/);
  expect(priceWords({ ...PREMIUM, tax: "added" })).toContain("plus tax");
  expect(priceWords({ ...PREMIUM, price: "500", currency: "jpy" })).toMatch(/¥500 a month$/);
  expect(priceWords(TRIAL)).toBe("Free");
  overwriteGetLocale(() => "fr");
  expect(priceWords(PREMIUM)).toMatch(/^4,99\s\$(US)? par mois$/);
  expect(priceWords({ ...PREMIUM, every: "year", currency: "eur" })).toMatch(/^4,99\s€ par an$/);
  expect([planName(TRIAL), planName(PREMIUM)]).toEqual(["Essai", "Premium"]);
});

test("what was used and what lies ahead is said", () => {
  overwriteGetLocale(() => "en");
  expect(usedWords(STANDING, NOW)).toBe("17 of 20");
  expect(aheadWords(STANDING, NOW)).toBeNull();
  expect(usedWords({ ...STANDING, messages: null }, NOW)).toBe("As many videos as you like");
  const late: Standing = { ...STANDING, plan: PREMIUM, state: "late", until_at: NOW + 7 * 86_400_000 };
  expect(aheadWords(late, NOW)).toMatchObject({ kind: "care", title: "A payment did not go through." });
  expect(aheadWords(late, NOW)?.text).toContain("29 Nov");
  expect(offerWords({ ...TRIAL, kept_bytes: 1e9, retention_days: 1 })).toMatch(
    /^Videos: 20, once · keeps .* · videos stay 1 day$/,
  );
});

type Asked = { path: string; body: unknown };
function houseOf(answers: Readonly<Record<string, unknown>>, asked: Asked[]): PlanHouse {
  const answer = (path: string, body?: unknown): Promise<unknown> => {
    asked.push({ path, body });
    const found = answers[path];
    return found instanceof Error ? Promise.reject(found) : Promise.resolve(found);
  };
  return { api: { get: answer, post: answer }, choices: { chosen: { language: "fr" } } } as unknown as PlanHouse;
}

test("paying leads to the provider's page, or says how, or why not", async () => {
  const [asked, left]: [Asked[], string[]] = [[], []];
  const PAY = "/api/v1/account/plan/payment";
  const paying = async (answer: unknown): Promise<PlanState> => {
    const plan = new PlanState(houseOf({ [PAY]: answer }, asked), (url) => left.push(url));
    await plan.pay("premium");
    expect(plan.working).toBeNull();
    return plan;
  };
  await paying({ url: "https://checkout.example/1", words: {}, reference: "" });
  expect(left).toEqual(["https://checkout.example/1"]);
  expect(asked).toEqual([{ path: PAY, body: { plan: "premium", language: "fr" } }]);
  const told = await paying({ url: "", words: { en: "Send it" }, reference: "AAAA-BBBB" });
  expect(told.payment?.reference).toBe("AAAA-BBBB");
  const refused = await paying(new Problem("", { code: "payments-silent", status: 503 }));
  expect([refused.failure?.code, left.length]).toEqual(["payments-silent", 1]);
});

test("what is left is known only where there is a limit", async () => {
  const leftOf = async (standing: unknown): Promise<number | null> => {
    const plan = new PlanState(houseOf({ "/api/v1/account/plan": standing }, []));
    expect(plan.left).toBeNull();
    await plan.look();
    return plan.left;
  };
  expect(await leftOf({ on: true, used: 17, messages: 20 })).toBe(3);
  expect(await leftOf({ on: true, used: 25, messages: 20 })).toBe(0);
  expect(await leftOf({ on: true, used: 25, messages: null })).toBeNull();
  expect(await leftOf({ on: false })).toBeNull();
  expect(await leftOf(new Problem("", { code: "offline", status: 0 }))).toBeNull();
});
