import { expect, test } from "vitest";
import { OperatorLink, runsServer } from "../../src/state/operator-link.svelte";
import type { Api } from "../../src/transfer/http";
import { Problem } from "../../src/transfer/problem";

const SECRET = "s".repeat(43);

function house(post: () => Promise<unknown>): { api: Api; posted: unknown[] } {
  const posted: unknown[] = [];
  const api = {
    post: async (path: string, body: unknown): Promise<unknown> => {
      posted.push([path, body]);
      return await post();
    },
    get: () => Promise.resolve({ since: 1, phones: "http://192.168.1.20:8444/" }),
  };
  return { api: api as unknown as Api, posted };
}

test("the secret is shown once, on demand, and then the phones' page is known", async () => {
  const { api, posted } = house(() => Promise.resolve(null));
  const link = new OperatorLink({ api }, SECRET);
  expect(posted).toEqual([]);
  await Promise.all([link.claim(), link.claim()]);
  await link.claim();
  expect(posted).toEqual([["/api/v1/operator", { link: SECRET }]]);
  expect(link.phase).toEqual({ kind: "done", phones: "http://192.168.1.20:8444/" });
});

test("a link that was used says so, and can be tried again", async () => {
  const { api, posted } = house(() => Promise.reject(new Problem("gone", { code: "operator-link-gone", status: 410 })));
  const link = new OperatorLink({ api }, SECRET);
  await link.claim();
  expect(link.phase).toEqual({ kind: "asking", working: false, failure: { code: "operator-link-gone" } });
  await link.claim();
  expect(posted).toHaveLength(2);
});

test("the desk is shown to who runs the server, and to nobody when nobody can be asked", async () => {
  const asked = (answer: Promise<unknown>): Promise<boolean> => runsServer({ get: () => answer } as unknown as Api);
  expect(await asked(Promise.resolve({ since: 1, phones: "" }))).toBe(true);
  expect(await asked(Promise.resolve({ since: null, phones: "" }))).toBe(false);
  expect(await asked(Promise.reject(new Problem("gone", { code: "offline", status: 0 })))).toBe(false);
});

test.each(["", "short", "!".repeat(43)])("an address without a secret asks nothing: %j", async (secret) => {
  const { api, posted } = house(() => Promise.resolve(null));
  const link = new OperatorLink({ api }, secret);
  await link.claim();
  expect([link.phase.kind, posted]).toEqual(["none", []]);
});
