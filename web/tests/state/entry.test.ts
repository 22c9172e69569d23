import { beforeEach, expect, test } from "vitest";
import { Entry, type Opens } from "../../src/state/entry.svelte";
import { opensWords } from "../../src/screens/sign-up/opens-words";
import { Api } from "../../src/transfer/http";

type Asked = { method: string; path: string; body: unknown };

const OPEN: Opens = {
  allowed: true,
  platform: "linux",
  phase: "open",
  by_country: false,
  country: null,
  country_from: null,
  blocked_by: null,
  opens_at: null,
  text: {},
  waiting: false,
  mail_possible: true,
};
const SHUT: Opens = {
  ...OPEN,
  allowed: false,
  platform: "windows",
  phase: "planned",
  blocked_by: "platform",
  opens_at: 0,
};

let policy: string;
let opens: Opens;
let asked: Asked[];
let refuse: string | null;

beforeEach(() => {
  policy = "open";
  opens = OPEN;
  asked = [];
  refuse = null;
});

function json(body: unknown, status = 200): Response {
  const type = status < 400 ? "application/json" : "application/problem+json";
  return new Response(JSON.stringify(body), { status, headers: { "content-type": type } });
}

async function fetched(url: string, init: RequestInit): Promise<Response> {
  const path = url.replace("/api/v1/", "");
  const text = init.body instanceof Uint8Array ? new TextDecoder().decode(init.body) : String(init.body ?? "null");
  asked.push({ method: init.method ?? "", path, body: JSON.parse(text) });
  if (refuse !== null && init.method === "POST") return json({ code: refuse, status: 403 }, 403);
  if (path === "server") return json({ sign_up: policy, provider: "The Works", protocol: [1] });
  if (path.startsWith("sign-up/codes")) return json({ expires_at: 77 }, 201);
  if (path.startsWith("sign-up/tickets")) return json({ ticket: "proof" }, 201);
  return json(opens);
}

async function entered(fragment = ""): Promise<Entry> {
  const entry = new Entry(new Api({ fetch: fetched }), fragment, () => "fr");
  await entry.look();
  return entry;
}

test("where it is open to anybody, nothing stands before the name", async () => {
  expect((await entered()).view).toEqual({ kind: "free" });
});

test("what cannot be asked keeps nobody out: the sign-up itself tells", async () => {
  const entry = new Entry(new Api({ fetch: () => Promise.reject(new TypeError("offline")) }), "", () => "en");
  await entry.look();
  expect(entry.view).toEqual({ kind: "free" });
});

test("where it is shut, one may say where one is, and have oneself told", async () => {
  opens = SHUT;
  const entry = await entered();
  expect(entry.view).toMatchObject({ kind: "shut", told: false });
  await entry.setCountry("GB");
  expect(asked.at(-1)?.path).toBe("availability?country=GB");
  await entry.tellMe("zoe@mail.example");
  expect(asked.at(-1)).toEqual({
    method: "POST",
    path: "availability/waiting",
    body: { mail: "zoe@mail.example", language: "fr", country: "GB" },
  });
  expect(entry.view).toMatchObject({ kind: "shut", told: true });
});

test("a wish that is refused says why, and may be repeated", async () => {
  opens = SHUT;
  refuse = "rate-limited";
  const entry = await entered();
  await entry.tellMe("zoe@mail.example");
  expect(entry.view).toMatchObject({ kind: "shut", told: false, working: false, failure: { code: "rate-limited" } });
  refuse = null;
  await entry.tellMe("zoe@mail.example");
  expect(entry.view).toMatchObject({ told: true });
});

test("an invite from the address passes a beta, and nothing else that is shut", async () => {
  opens = { ...SHUT, phase: "beta", opens_at: null };
  expect((await entered()).view.kind).toBe("shut");
  const invited = await entered("#ticket=abcd-efgh");
  expect(invited.view.kind).toBe("free");
  expect(invited.ticket).toBe("abcd-efgh");
  opens = SHUT;
  expect((await entered("#ticket=abcd-efgh")).view.kind).toBe("shut");
});

test("an invite that is refused is asked for again, with why", async () => {
  policy = "invite";
  const entry = await entered();
  expect(entry.view).toEqual({ kind: "invite", failure: null });
  entry.useInvite(" abcd-efgh ");
  expect(entry.view.kind).toBe("free");
  entry.refused({ code: "ticket-refused" });
  expect(entry.view).toEqual({ kind: "invite", failure: { code: "ticket-refused" } });
  expect(entry.ticket).toBeNull();
});

test("an address is proved by the code that came, with the time that was told", async () => {
  policy = "domains";
  const entry = await entered();
  await entry.sendCode("ann@post.example");
  expect(entry.view).toMatchObject({ kind: "mail", sentTo: "ann@post.example", working: false });
  await entry.showCode("1234 5678");
  expect(asked.at(-1)?.body).toEqual({ mail: "ann@post.example", code: "12345678", expires_at: 77 });
  expect(entry.ticket).toBe("proof");
  expect(entry.view.kind).toBe("free");
});

test("a provider is named, and what went wrong there is told", async () => {
  policy = "provider";
  const entry = await entered("#failed=provider-failed");
  expect(entry.view).toEqual({ kind: "provider", provider: "The Works", failure: { code: "provider-failed" } });
});

test("what is shut, and until when, is said", () => {
  const at = { ...SHUT, opens_at: Date.UTC(2027, 3, 1, 12), text: { en: "Patience." } };
  const { title, text } = opensWords(at);
  expect(title).toBe("Not open yet: Windows");
  expect(text).toMatch(/April 1, 2027.* Patience\.$/u);
  expect(opensWords({ ...SHUT, blocked_by: "country", country: "FR", phase: "later", opens_at: null })).toEqual({
    title: "Not open yet: France",
    text: "It comes later; there is no day yet.",
  });
});
