import { beforeEach, expect, test } from "vitest";
import { overwriteGetLocale } from "../../src/i18n/runtime";
import { countryNote } from "../../src/screens/opens/words";
import { beforeWords } from "../../src/screens/record/words";
import type { RecordProps } from "../../src/screens/record/props";
import { AvailabilityState, type Opens } from "../../src/state/availability.svelte";
import { opensProps } from "../../src/routes/opens";
import { Api } from "../../src/transfer/http";

overwriteGetLocale(() => "en");

const SHUT: Opens = {
  allowed: false,
  platform: "windows",
  phase: "beta",
  by_country: true,
  country: "GB",
  country_from: "proxy",
  blocked_by: "platform",
  opens_at: null,
  text: {},
  waiting: false,
  mail_possible: false,
};

let answer: Opens;
let asked: { method: string; path: string; body: unknown }[];
let refuse: string | null;
let isOnline: boolean;

beforeEach(() => {
  answer = SHUT;
  asked = [];
  refuse = null;
  isOnline = true;
});

async function fetched(url: string, init: RequestInit): Promise<Response> {
  const text = init.body instanceof Uint8Array ? new TextDecoder().decode(init.body) : String(init.body ?? "null");
  const method = init.method ?? "";
  asked.push({ method, path: url.replace("/api/v1/", ""), body: JSON.parse(text) as unknown });
  if (!isOnline) throw new TypeError("offline");
  if (refuse !== null && method !== "GET") {
    const headers = { "content-type": "application/problem+json" };
    return new Response(JSON.stringify({ code: refuse, status: 403 }), { status: 403, headers });
  }
  if (method === "DELETE") return new Response(null, { status: 204 });
  return new Response(JSON.stringify(answer), { headers: { "content-type": "application/json" } });
}

async function looked(language = "fr"): Promise<AvailabilityState> {
  const availability = new AvailabilityState({ api: new Api({ fetch: fetched }), choices: { chosen: { language } } });
  await availability.look();
  return availability;
}

const before = (availability: AvailabilityState): ReturnType<typeof beforeWords> => {
  const props = {
    roomS: null,
    unheard: false,
    offline: false,
    level: 0.5,
    opens: opensProps(availability, () => undefined),
  };
  return beforeWords(props satisfies Partial<RecordProps>);
};

test("before a recording it is said what is shut and why, and that the take is kept; where it is open nothing is", async () => {
  expect(before(await looked())).toMatchObject({
    title: "Not open yet: Windows",
    text: "It is being tried out: an invite lets you in. You can still record: it is kept on this device, and you send it when it opens.",
  });
  answer = { ...SHUT, allowed: true };
  expect(before(await looked())).toBeNull();
});

test("when nobody can be asked nothing is said: the sending tells", async () => {
  isOnline = false;
  const availability = await looked();
  expect([availability.opens, before(availability)]).toEqual([null, null]);
});

test("a country is declared, and what it opens is seen at once", async () => {
  const availability = await looked();
  answer = { ...SHUT, allowed: true, country: "US", country_from: "declared" };
  await availability.setCountry("US");
  expect(asked.at(-1)).toEqual({ method: "PUT", path: "account/country", body: { country: "US" } });
  expect([availability.opens?.country, availability.isOpened, availability.refused]).toEqual(["US", true, null]);
});

test("an invite that came later is shown; a refused one says so, and may be repeated", async () => {
  const availability = await looked();
  refuse = "ticket-refused";
  await availability.showInvite(" abcd-efgh ");
  expect(asked.at(-1)).toEqual({ method: "POST", path: "account/invite", body: { ticket: "abcd-efgh" } });
  expect(availability).toMatchObject({
    working: null,
    refused: { what: "invite", failure: { code: "ticket-refused" } },
  });
  expect(availability.isOpened).toBe(false);
  [refuse, answer] = [null, { ...SHUT, allowed: true }];
  await availability.showInvite("abcd-efgh");
  expect([availability.refused, availability.isOpened]).toEqual([null, true]);
});

test("one wish at a time: to be told, in the person's language, and not to be told", async () => {
  const availability = await looked();
  answer = { ...SHUT, waiting: true };
  await Promise.all([availability.tellMe(true), availability.tellMe(true)]);
  const body = { mail: null, country: null, language: "fr" };
  expect(asked.slice(1)).toEqual([{ method: "POST", path: "availability/waiting", body }]);
  expect(availability.opens?.waiting).toBe(true);
  answer = SHUT;
  await availability.tellMe(false);
  expect(asked.slice(2).map(({ method, path }) => `${method} ${path}`)).toEqual([
    "DELETE availability/waiting",
    "GET availability",
  ]);
  expect(availability.opens?.waiting).toBe(false);
});

test("a wish to be told that is refused is said before a recording, too", async () => {
  const availability = await looked();
  refuse = "rate-limited";
  await availability.tellMe(true);
  expect(before(availability)?.text).toContain("That was often.");
});

test("from whom the country is known is said", () => {
  const notes = [SHUT, { ...SHUT, country_from: "declared" as const }, { ...SHUT, country: null, country_from: null }];
  expect(new Set(notes.map(countryNote)).size).toBe(3);
  expect(countryNote({ ...SHUT, country_from: "declared" })).toBe("You said so. It counts wherever you travel.");
});
