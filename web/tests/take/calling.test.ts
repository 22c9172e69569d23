import { beforeEach, expect, test, vi } from "vitest";
import { b64, utf8 } from "../../src/protocol/encoding";
import { emptyContent, type Draft, type DraftCall, type DraftContent, type Drafts } from "../../src/storage/drafts";
import { BringingFailed } from "../../src/take/bringers";
import { Bringing } from "../../src/take/bringing";
import { formOf } from "../../src/take/form";
import { sendDraft, type SendingState } from "../../src/take/sending";
import { Api, type Fetch } from "../../src/transfer/http";

vi.mock("../../src/storage/spool", () => ({ removeSpool: () => Promise.resolve() }));
vi.mock("../../src/take/link", () => ({ startWorker: () => ({ order: () => undefined, close: () => undefined }) }));

const ID = "msg_aaaaaaaaaaaaaaaaaaaaaaaaaa";
const CALL: DraftCall = { to: "ann@here", fp: null, secret: null, link: null, token: "call.one", untilMs: 1 };
const calm = { baseMs: 1, capMs: 1, random: () => 0, sleep: () => Promise.resolve() };
const refusal = (code: string, status: number): Response => new Response(JSON.stringify({ code, status }), { status });

let content: DraftContent | null;
let states: SendingState[];
let posted: { url: string; right: string; parts: string[] }[];
let good: string;

const shelf = {
  get: (): Promise<Draft> => {
    if (content === null) throw new TypeError("gone");
    return Promise.resolve({ id: ID, acct: "@ann", createdMs: 1, key: {} as CryptoKey, content });
  },
  change: async (_: string, change: (of: DraftContent) => Partial<DraftContent>): Promise<Draft> => {
    const draft = await shelf.get();
    content = { ...draft.content, ...change(draft.content) };
    return shelf.get();
  },
  remove: (): Promise<void> => {
    content = null;
    return Promise.resolve();
  },
};

const server: Fetch = (url, init) => {
  const right = new Headers(init.headers).get("authorization") ?? "";
  const body = new TextDecoder().decode(init.body as Uint8Array);
  posted.push({ url, right, parts: [...body.matchAll(/name="([^"]+)"/gu)].map(([, name]) => name ?? "") });
  if (right !== `Bearer ${good}`) return Promise.resolve(refusal("call-over", 410));
  return Promise.resolve(Response.json({ id: ID, received_at: 99 }));
};

function options(renew: (draft: Draft) => Promise<void>) {
  return {
    drafts: shelf as unknown as Drafts,
    locks: { request: ((_: string, __: object, work: () => unknown) => work()) as LockManager["request"] },
    api: new Api({ fetch: server, waiting: calm }),
    onState: (state: SendingState) => void states.push(state),
    bring: async () => {
      if (content?.call?.token !== good && content?.upload === null) throw new BringingFailed("call-over");
      await shelf.change(ID, () => ({ isStored: true, upload: { id: `upl_${posted.length}`, capability: "c" } }));
    },
    compose: () => Promise.resolve({ message: "{}", details: "AAAA", envelopes: { owner: b64(utf8("x")) }, sent: "" }),
    call: {
      post: ({ content: { call } }: Draft) => ({
        url: "/api/v1/calls/message",
        headers: { authorization: `Bearer ${call?.token ?? ""}` },
      }),
      renew,
    },
  };
}
const again = async ({ content: { call } }: Draft): Promise<void> => {
  if (call) await shelf.change(ID, () => ({ call: { ...call, token: good } }));
};

beforeEach(() => {
  content = { ...emptyContent("AGE-SECRET-KEY-1X"), upload: { id: "upl_0", capability: "c" }, call: CALL };
  [states, posted, good] = [[], [], "call.one"];
});

test("a call is left by its own right, without a copy for the sender, and is then gone from here", async () => {
  await sendDraft(ID, { to: ["ann@here"], caption: null }, options(again));
  expect(posted).toEqual([
    { url: "/api/v1/calls/message", right: "Bearer call.one", parts: ["message", "details", "envelope:owner"] },
  ]);
  expect([states.at(-1)?.kind, content]).toEqual(["sent", null]);
});

test.each([
  ["when it is left", { id: "upl_0", capability: "c" }],
  ["when it is brought up", null],
])("a call that is over is begun again: %s", async (_, upload) => {
  good = "call.two";
  await shelf.change(ID, () => ({ upload }));
  await sendDraft(ID, { to: ["ann@here"], caption: null }, options(again));
  expect(posted.at(-1)?.right).toBe("Bearer call.two");
  expect(content).toBeNull();
});

test("a call that cannot be begun again is kept", async () => {
  good = "call.two";
  const refused = (): Promise<void> => Promise.reject(Object.assign(new Error("no"), { code: "page-closed" }));
  await expect(sendDraft(ID, { to: ["ann@here"], caption: null }, options(refused))).rejects.toMatchObject({
    code: "page-closed",
  });
  expect(content?.call).toEqual(CALL);
});

test("a message by link has its envelopes in their order", () => {
  const request = { idempotencyKey: "k", message: "{}", details: "AAAA", envelopes: {}, sent: "BBBB" };
  const { body } = formOf({ ...request, links: ["AAAA", "BBBB"] });
  const names = [...new TextDecoder().decode(body).matchAll(/name="([^"]+)"/gu)].map(([, name]) => name);
  expect(names).toEqual(["message", "details", "sent", "link:0", "link:1"]);
});

test("an upload begins by the right of the call, and waits for nothing when that is over", async () => {
  const asked: (string | null)[] = [];
  const fetch: Fetch = (_, init) => {
    asked.push(new Headers(init.headers).get("authorization"));
    return Promise.resolve(refusal("call-over", 410));
  };
  const news = { onStored: () => undefined, onTrouble: () => undefined };
  const source = { read: () => Promise.resolve(new Uint8Array(0)) };
  const bringing = new Bringing({ id: ID, drafts: shelf, source, news, call: "call.one", fetch, waiting: calm });
  await expect(bringing.done).rejects.toMatchObject({ code: "call-over" });
  expect(asked).toEqual(["Bearer call.one"]);
});
