import { afterEach, beforeAll, expect, test, vi } from "vitest";
import type { CryptoService } from "../../src/crypto/service";
import { fp } from "../../src/crypto/signing";
import { b64, unb64 } from "../../src/protocol/encoding";
import { randomBytes } from "../../src/protocol/ids";
import { CallState, type PageView } from "../../src/state/calling.svelte";
import { Api, type Fetch } from "../../src/transfer/http";
import type { Page } from "../../src/transfer/pages";
import { cryptoInProcess } from "./in_process";
import { correspondent, letterOf, SERVER, type Correspondent } from "./mail";

let ann: Correspondent;
let bob: Correspondent;
let fragment: string;
const secret = randomBytes(16);
let open: CallState | null = null;

beforeAll(async () => {
  [ann, bob] = await Promise.all([correspondent("ann"), correspondent("bob")]);
  for (const { crypto } of [ann, bob]) await crypto.noShard("contacts");
  fragment = `#${fp(unb64((await ann.crypto.account()).sign))}.${b64(secret)}`;
});

afterEach(() => open?.close());

const PAGE: Page = { name: "ann", access: "anyone", takes_calls: true, opens_at: null, profile: null, greeting: null };
const json = (value: unknown, status = 200): Response => Response.json(value, { status });

/** A server with one page; `links` are envelopes by the link's id. */
function served(page: Page | null, links: Readonly<Record<string, string>> = {}, record = ann.record): Fetch {
  return (input) => {
    const path = new URL(input, "http://server.test").pathname;
    if (path.endsWith("/opens")) return Promise.resolve(json({ token: "t", until: 1 }));
    if (path.endsWith("/details")) return Promise.resolve(new Response(unb64(links["details"] ?? "")));
    const link = /\/links\/(\w+)\/envelope$/u.exec(path)?.[1];
    if (link !== undefined) return Promise.resolve(new Response(unb64(links[link] ?? "")));
    if (path.endsWith("/server"))
      return Promise.resolve(json({ protocol: [1], server_name: SERVER, sign_up: "open", passkeys: false }));
    if (path.endsWith("/records")) return Promise.resolve(json({ items: [{ record, leaf: 0 }] }));
    return Promise.resolve(page === null ? json({ code: "no-such-page", status: 404 }, 404) : json(page));
  };
}

/** Where the video itself is not asked for. */
function cryptoWithoutVideo(): CryptoService {
  const { service } = cryptoInProcess();
  return Object.assign(service, { openVideo: async () => Promise.resolve({ close: () => undefined }) });
}

async function looked(fetch: Fetch, at = fragment): Promise<CallState> {
  const call = new CallState({
    startCrypto: cryptoWithoutVideo,
    api: new Api({ fetch }),
    name: "ann",
    fragment: at,
  });
  open = call;
  await vi.waitFor(() => expect(call.phase.kind).not.toBe("looking"));
  return call;
}

async function pageOf(fetch: Fetch, at = fragment): Promise<PageView> {
  const { phase } = await looked(fetch, at);
  if (phase.kind !== "page") throw new Error(JSON.stringify(phase));
  return phase.page;
}

const profileOf = (by: Correspondent, says: { note?: string; greeting?: string }): Promise<string> =>
  by.crypto.sealProfile(says, secret, Date.now());

test("what the owner wrote is shown to whoever has the link, and to nobody else", async () => {
  const profile = await profileOf(ann, { note: "Back on Monday" });
  expect(await pageOf(served({ ...PAGE, profile }))).toEqual({
    name: "ann",
    note: "Back on Monday",
    isVerified: true,
    isEarlier: false,
    closed: null,
    hasGreeting: false,
  });
  expect(await pageOf(served(PAGE), "")).toMatchObject({ note: "", isVerified: false, isEarlier: false });
  expect(await pageOf(served(PAGE))).toMatchObject({ note: "", isEarlier: true });
});

test("it says why it takes no call", async () => {
  const profile = await profileOf(ann, {});
  const hours = { ...PAGE, profile, takes_calls: false, opens_at: 5000 };
  expect((await pageOf(served(hours))).closed).toEqual({ why: "hours", opensAt: 5000 });
  const byLink = { ...PAGE, access: "link" as const };
  expect((await pageOf(served(byLink), "")).closed).toEqual({ why: "link" });
  expect((await pageOf(served(byLink))).closed).toEqual({ why: "link" });
  expect((await pageOf(served({ ...byLink, profile }))).closed).toBeNull();
  expect((await pageOf(served({ ...PAGE, access: "signed-in" }))).closed).toEqual({ why: "account" });
});

test("an address that is cut, of nobody, or of another key shows nothing", async () => {
  expect((await looked(served(PAGE), fragment.slice(0, -2))).phase).toEqual({ kind: "incomplete" });
  expect((await looked(served(null))).phase).toEqual({ kind: "nobody" });
  const other = `#${fp(randomBytes(32))}.${b64(secret)}`;
  const mismatch = { kind: "failed", failure: { code: "fingerprint-mismatch" } };
  expect((await looked(served(PAGE), other)).phase).toEqual(mismatch);
  const swapped = served(PAGE, {}, bob.record);
  expect((await looked(swapped)).phase).toMatchObject({ failure: { code: "record-other-account" } });
});

test("words and greeting of somebody else are not shown", async () => {
  const forged = await profileOf(bob, { note: "Send money" });
  expect((await looked(served({ ...PAGE, profile: forged }))).phase).toMatchObject({
    failure: { code: "wrong-signer" },
  });
  const bobs = await letterOf(bob, ann, "Hello");
  const { envelope } = await bob.crypto.makeGreetingLink(unb64(bobs.sent), secret, Date.now());
  const page = { ...PAGE, profile: await profileOf(ann, { greeting: bobs.id }), greeting: "lnk_a" };
  const call = await looked(served(page, { lnk_a: envelope }));
  expect(call.greetingFailure).toEqual({ code: "wrong-signer" });
  expect(call.phase).toMatchObject({ page: { hasGreeting: false, closed: null } });

  const anns = await letterOf(ann, bob, "Hello");
  const own = await ann.crypto.makeGreetingLink(unb64(anns.sent), secret, Date.now());
  const profile = await profileOf(ann, { greeting: anns.id });
  expect(await pageOf(served({ ...page, profile }, { lnk_a: own.envelope }))).toMatchObject({ hasGreeting: true });
});

test("a greeting is shown with its captions, cut at its end, and without those that cannot be read", async () => {
  const greeted = async (captions: string): Promise<CallState> => {
    const sent = await letterOf(ann, bob, "", { captions });
    const { envelope } = await ann.crypto.makeGreetingLink(unb64(sent.sent), secret, Date.now());
    const page = { ...PAGE, profile: await profileOf(ann, { greeting: sent.id }), greeting: "lnk_a" };
    const call = await looked(served(page, { lnk_a: envelope, details: sent.details }));
    expect([call.film, call.captions]).toEqual([null, []]); // nothing is opened before a press
    await call.greet();
    expect([call.greetingFailure, call.film?.ms]).toEqual([null, 4000]);
    return call;
  };
  const call = await greeted("WEBVTT\n\n00:00:01.000 --> 00:00:09.000\nGood &amp; morning\n");
  expect(call.captions).toEqual([{ fromMs: 1000, toMs: 4000, text: "Good & morning" }]);
  call.close();
  expect((await greeted("no captions at all")).captions).toEqual([]);
});
