import { beforeEach, expect, test } from "vitest";
import { IdentityState, providerHere } from "../../src/state/identity.svelte";
import { Api } from "../../src/transfer/http";

const NONE = { provider: "The Works", since: null, may_unlink: true };
const LINKED = { ...NONE, since: 5 };

let asked: string[];
let stored: typeof NONE | typeof LINKED;
let refuse: { code: string; status: number } | null;

beforeEach(() => {
  asked = [];
  stored = NONE;
  refuse = null;
});

function fetched(url: string, init: RequestInit): Promise<Response> {
  const text = init.body instanceof Uint8Array ? new TextDecoder().decode(init.body) : String(init.body ?? "");
  asked.push(`${init.method ?? "GET"} ${url.replace("/api/v1/", "")}${text}`);
  if (refuse !== null && init.method !== "GET") {
    const headers = { "content-type": "application/problem+json" };
    return Promise.resolve(
      new Response(JSON.stringify({ ...refuse, title: "no" }), { status: refuse.status, headers }),
    );
  }
  if (init.method === "DELETE") {
    stored = NONE;
    return Promise.resolve(new Response(null, { status: 204 }));
  }
  if (init.method === "PUT") stored = LINKED;
  return Promise.resolve(Response.json(stored));
}

async function come(fragment: string): Promise<IdentityState> {
  const api = new Api({ fetch: fetched as typeof fetch });
  const identity = new IdentityState({ api }, fragment);
  await identity.look();
  return identity;
}

test("what was proved is linked after a yes, once, and not before", async () => {
  const identity = await come("ticket=a.b");
  expect([identity.isProved, asked]).toEqual([true, ["GET account/identity"]]);
  await Promise.all([identity.link(), identity.link()]);
  await identity.link();
  expect(asked.slice(1)).toEqual(['PUT account/identity{"ticket":"a.b"}']);
  expect([identity.isProved, identity.told, identity.phase]).toEqual([
    false,
    "linked",
    { kind: "ready", identity: LINKED },
  ]);
});

test("a no forgets what was proved", async () => {
  const identity = await come("ticket=a.b");
  identity.drop();
  await identity.link();
  expect([identity.isProved, asked]).toEqual([false, ["GET account/identity"]]);
});

test.each([
  ["ticket-refused", 403, "provider-failed"],
  ["ticket-used", 409, "ticket-used"],
  ["identity-linked", 409, "identity-linked"],
])("refused as %s: it says so, and another visit is needed", async (code, status, told) => {
  const identity = await come("ticket=a.b");
  refuse = { code, status };
  await identity.link();
  expect([identity.failure?.code, identity.isProved, identity.told]).toEqual([told, false, null]);
});

test("a server that has no time leaves what was proved for another try", async () => {
  const identity = await come("ticket=a.b");
  refuse = { code: "busy", status: 503 };
  await identity.link();
  expect([identity.failure?.code, identity.isProved]).toEqual(["busy", true]);
});

test("it is unlinked, and what stays says why", async () => {
  stored = LINKED;
  const identity = await come("");
  refuse = { code: "identity-needed", status: 409 };
  await identity.unlink();
  expect([identity.failure?.code, identity.told]).toEqual(["identity-needed", null]);
  refuse = null;
  await identity.unlink();
  expect([identity.failure, identity.told, identity.phase]).toEqual([
    null,
    "unlinked",
    { kind: "ready", identity: NONE },
  ]);
});

test("a visit that failed says so", async () => {
  const identity = await come("failed=provider-failed");
  expect([identity.failure, identity.isProved]).toEqual([{ code: "provider-failed" }, false]);
});

test("the provider's name is known where the server says it, else there is none", async () => {
  const said = (body: object): Promise<string> => {
    const answer = (): Promise<Response> => Promise.resolve(Response.json(body));
    return providerHere(new Api({ fetch: answer as typeof fetch }));
  };
  const facts = { protocol: [1], server_name: "post.example", sign_up: "open", passkeys: true };
  expect(await said({ ...facts, provider: "The Works" })).toBe("The Works");
  expect(await said(facts)).toBe("");
  expect(await providerHere(new Api({ fetch: (() => Promise.reject(new TypeError())) as typeof fetch }))).toBe("");
});
