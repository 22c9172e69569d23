import { afterEach, beforeEach, expect, test } from "vitest";
import { Choices } from "../../src/state/choices.svelte";
import { Session } from "../../src/state/session.svelte";
import { Verification } from "../../src/state/verification.svelte";
import { openDatabase } from "../../src/storage/db";
import { Api } from "../../src/transfer/http";
import { FakePasskeys } from "./fake_passkeys";
import { FakeServer } from "./fake_server";
import { cryptoInProcess } from "./in_process";

const WORDS = "detonator reckless unaligned jackal";
const BY_WORDS = { account: "ann", secret: WORDS, way: "passphrase", keep: true } as const;
const choices = new Choices("en", () => undefined);
const sessions: Session[] = [];
let server: FakeServer;
let name: string;

/** A start of the app in this browser. */
async function started(): Promise<Session> {
  const session = new Session({
    choices,
    api: new Api({ fetch: server.fetch }),
    startCrypto: () => cryptoInProcess().service,
    liveFetch: server.fetch,
    passkeys: new FakePasskeys(),
    openDatabase: () => openDatabase(name),
  });
  sessions.push(session);
  await session.restore();
  return session;
}

const inside = ({ state }: Session): string => (state.kind === "inside" ? state.house.account.acct : state.kind);

beforeEach(async () => {
  server = new FakeServer();
  name = `ending-${Date.now()}`;
  localStorage.clear();
  const wanted = { acct: "ann@post.example", passphrase: WORDS, nowMs: Date.now() };
  const { record, keyring, unlock } = await cryptoInProcess().service.makeAccount(wanted);
  const body = JSON.stringify({ name: "ann", record, keyring, unlock, client: "web" });
  await server.fetch("/api/v1/accounts", { method: "POST", body });
  server.signedIn = null;
});
afterEach(() => {
  for (const session of sessions.splice(0)) session.close();
});

test("a deleted account asks first who it is, leaves nothing but drafts, and is told so; without a network nothing changes", async () => {
  const session = await started();
  await session.signIn(BY_WORDS);
  server.isCut = true;
  await expect(session.deleteAccount()).rejects.toMatchObject({ code: "offline" });
  server.isCut = false;
  server.isStale = true;
  const asker = session.house?.part(Verification);
  const refused = session.deleteAccount();
  await expect.poll(() => asker?.asking).not.toBeNull();
  asker?.cancel();
  await expect(refused).rejects.toMatchObject({ code: "closed" });
  expect([inside(session), server.accounts.has("ann")]).toEqual(["ann@post.example", true]);
  const ending = session.deleteAccount();
  await expect.poll(() => asker?.asking).not.toBeNull();
  await asker?.bySecret(WORDS, "passphrase");
  await ending;
  expect(session.state).toEqual({ kind: "outside", account: "", failure: { code: "account-deleted" } });
  expect([session.left, server.accounts.has("ann")]).toEqual(["ann@post.example", false]);
  expect(inside(await started())).toBe("outside");
});
