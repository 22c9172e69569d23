import { describe, expect, test } from "vitest";
import { address, Api, Problem, type Fetch } from "../../src/transfer/http";

const calm = { baseMs: 1, capMs: 1, random: () => 0, sleep: () => Promise.resolve() };

function answering(...answers: (Response | Error)[]): { api: Api; asked: [string, RequestInit][] } {
  const asked: [string, RequestInit][] = [];
  const fetch: Fetch = (url, init) => {
    asked.push([url, init]);
    const answer = answers.shift() ?? new Error("nothing left to answer");
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  return { api: new Api({ fetch, waiting: calm }), asked };
}

function problem(status: number, body: object): Response {
  return new Response(JSON.stringify({ status, ...body }), { status });
}

describe("a request", () => {
  test("goes to our own origin with the cookie, follows nowhere and tells no referrer", async () => {
    const { api, asked } = answering(Response.json({ items: [], cursor: null }));
    expect(await api.get("/api/v1/inbox", { query: { since: 4, limit: 100 } })).toEqual({ items: [], cursor: null });
    const [url, init] = asked[0] ?? ["", {}];
    expect(url).toBe("/api/v1/inbox?since=4&limit=100");
    expect(init).toMatchObject({
      credentials: "same-origin",
      redirect: "manual",
      referrerPolicy: "no-referrer",
      cache: "no-store",
    });
  });

  test("keeps a name inside its place of the path", () => {
    expect(address("/api/v1/accounts/{name}/record", { path: { name: "../x?y" } })).toBe(
      "/api/v1/accounts/..%2Fx%3Fy/record",
    );
    expect(() => address("/api/v1/accounts/{name}/record")).toThrow(TypeError);
  });

  test("that is refused rejects with the problem as it was told", async () => {
    const told = { code: "no-such-recipient", title: "Nobody", recipients: ["ann"], hint: "Correct them." };
    const { api } = answering(problem(404, told));
    const error = await api.get("/api/v1/inbox").catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Problem);
    expect(error).toMatchObject({
      code: "no-such-recipient",
      status: 404,
      recipients: ["ann"],
      hint: "Correct them.",
      isPassing: false,
    });
  });

  test("that a proxy answers with a page of its own has no code, and passes when its status does", async () => {
    const { api } = answering(new Response("<h1>Bad gateway</h1>", { status: 502, headers: { "retry-after": "7" } }));
    const error = await api.get("/api/v1/inbox").catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "", status: 502, retryAfterS: 7, isPassing: true });
  });

  test("an answer that does not end is cut off, and read no further", async () => {
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled += 1;
        controller.enqueue(new Uint8Array(1024 * 1024).fill(0x20));
      },
    });
    const { api } = answering(new Response(endless));
    await expect(api.get("/api/v1/inbox")).rejects.toMatchObject({ code: "answer-too-large" });
    expect(pulled).toBeLessThan(12);
  });

  test("a problem that does not end is one without a code", async () => {
    const long = JSON.stringify({ code: "name-taken", title: "x".repeat(100_000) });
    const { api } = answering(new Response(long, { status: 409 }));
    await expect(api.get("/api/v1/inbox")).rejects.toMatchObject({ code: "", status: 409 });
  });

  test("a redirect is not followed and has a name", async () => {
    const elsewhere = new Response(null, { status: 200 });
    Object.defineProperty(elsewhere, "type", { value: "opaqueredirect" });
    const { api } = answering(elsewhere);
    await expect(api.get("/api/v1/inbox")).rejects.toMatchObject({ code: "redirected" });
  });

  test("that nobody answers is offline", async () => {
    const { api } = answering(new TypeError("Failed to fetch"));
    await expect(api.get("/api/v1/inbox")).rejects.toMatchObject({ code: "offline", isPassing: true });
  });

  test("that the caller gave up is an abort, not a problem", async () => {
    const stop = new AbortController();
    stop.abort(new DOMException("enough", "AbortError"));
    const { api } = answering(new TypeError("Failed to fetch"));
    await expect(api.get("/api/v1/inbox", { signal: stop.signal })).rejects.toMatchObject({ name: "AbortError" });
  });

  test("answered with something else than JSON is malformed", async () => {
    const { api } = answering(new Response("{", { status: 200 }));
    await expect(api.get("/api/v1/inbox")).rejects.toMatchObject({ code: "answer-malformed", isPassing: false });
  });
});

test("a file is stored only over what it replaces", async () => {
  const { api, asked } = answering(
    new Response(null, { status: 204, headers: { etag: '"2"' } }),
    new Response(null, { status: 204 }),
  );
  expect(await api.putOctets("/api/v1/account/keyring", new Uint8Array(3), '"1"')).toBe('"2"');
  await api.putOctets("/api/v1/account/state/{shard}", new Uint8Array(3), null, { path: { shard: "contacts" } });
  expect(asked.map(([, init]) => init.headers)).toMatchObject([{ "if-match": '"1"' }, { "if-none-match": "*" }]);
});

test("passing trouble is waited out and told; a refusal is not repeated", async () => {
  const { api } = answering(
    new TypeError("cut"),
    problem(503, { code: "busy" }),
    problem(410, { code: "upload-gone" }),
  );
  const troubles: string[] = [];
  const work = api.patiently(
    () => api.get("/api/v1/inbox"),
    new AbortController().signal,
    (each) => troubles.push(each.code),
  );
  await expect(work).rejects.toMatchObject({ code: "upload-gone" });
  expect(troubles).toEqual(["offline", "busy"]);
});
