import { beforeEach, expect, test } from "vitest";
import { recoveryGroups } from "../../src/crypto/recovery";
import { StorageError } from "../../src/storage/errors";
import { SignUp } from "../../src/state/sign_up.svelte";
import { Api } from "../../src/transfer/http";
import { FakeServer } from "./fake_server";
import { cryptoInProcess, type InProcess } from "./in_process";

let server: FakeServer;
let crypto: InProcess;
let entered: string[];
let enter: () => Promise<void>;
let steps: SignUp;

beforeEach(() => {
  server = new FakeServer();
  crypto = cryptoInProcess();
  entered = [];
  enter = async () => undefined;
  steps = new SignUp({
    api: new Api({ fetch: server.fetch }),
    startCrypto: () => crypto.service,
    enter: async (_crypto, account) => {
      await enter();
      entered.push(account.acct);
    },
    draw: () => 2,
  });
});

const WORDS = { account: "ann", passphrase: "detonator reckless unaligned jackal gratuity copilot", own: false };

async function toTheProof(): Promise<readonly [string, string]> {
  await steps.choose(WORDS);
  steps.written();
  const { step } = steps;
  if (step.kind !== "prove") throw new Error(step.kind);
  const groups = recoveryGroups(steps.code);
  return [groups[step.asked[0] - 1] ?? "", groups[step.asked[1] - 1] ?? ""];
}

test("nothing is stored before two groups of the code were typed", async () => {
  const [first, second] = await toTheProof();
  expect(steps.step).toMatchObject({ kind: "prove", asked: [3, 6] });
  expect(server.accounts.size).toBe(0);
  await steps.prove([first, "0000"]);
  expect(steps.step).toMatchObject({ kind: "prove", wrong: 6, begins: second.slice(0, 2) });
  expect(server.accounts.size).toBe(0);
  await steps.prove([first.toLowerCase(), ` ${second} `]);
  expect(entered).toEqual(["ann@post.example"]);
  expect([...server.accounts.keys()]).toEqual(["ann"]);
  steps.close();
  expect(crypto.isClosed).toBe(false);
});

test("whoever turns round takes the keys along", async () => {
  await toTheProof();
  steps.close();
  expect([crypto.isClosed, server.accounts.size]).toEqual([true, 0]);
});

test("a name that is taken is told before anything else is asked, and what was typed stays", async () => {
  server.accounts.set("ann", { records: ["AAAA"], unlock: [] });
  await steps.choose(WORDS);
  expect(steps.step).toEqual({ kind: "name", failure: { code: "name-taken" } });
  expect(steps.chosen).toEqual(WORDS);
});

test("a name that was taken meanwhile leads back to the name", async () => {
  const groups = await toTheProof();
  server.accounts.set("ann", { records: ["AAAA"], unlock: [] });
  await steps.prove(groups);
  expect(steps.step).toEqual({ kind: "name", failure: { code: "name-taken" } });
  expect(entered).toEqual([]);
});

test.each([
  ["aaaaaaaaaaaaaaaa", "passphrase-too-simple"],
  ["short one", "passphrase-too-short"],
])("a poor passphrase is refused: %s", async (passphrase, code) => {
  await steps.choose({ account: "ann", passphrase, own: true });
  expect(steps.step).toEqual({ kind: "name", failure: { code } });
  expect(server.requests).toEqual([]);
});

test("a server that takes nobody says so", async () => {
  server.isOpen = false;
  await steps.choose(WORDS);
  expect(steps.step).toEqual({ kind: "name", failure: { code: "sign-up-closed" } });
});

test("without a network the proof waits, and is repeated as it is", async () => {
  const groups = await toTheProof();
  server.isCut = true;
  await steps.prove(groups);
  expect(steps.step).toMatchObject({ kind: "prove", working: false, failure: { code: "offline" } });
  server.isCut = false;
  await steps.prove(groups);
  expect(entered).toEqual(["ann@post.example"]);
});

test("an answer that was lost is found out by the new way in", async () => {
  const groups = await toTheProof();
  server.losesAnswersOf = "/api/v1/accounts";
  await steps.prove(groups);
  expect(entered).toEqual(["ann@post.example"]);
  expect(server.requests.slice(-2)).toEqual(["POST /api/v1/accounts", "POST /api/v1/sign-in"]);
});

test("an account that was made but not moved into is not made twice", async () => {
  const groups = await toTheProof();
  enter = async () => Promise.reject(new StorageError("device-full"));
  await steps.prove(groups);
  expect(steps.step).toMatchObject({ kind: "prove", working: false, failure: { code: "device-full" } });
  enter = async () => undefined;
  await steps.prove(groups);
  expect(entered).toEqual(["ann@post.example"]);
  expect(server.requests.filter((request) => request === "POST /api/v1/accounts")).toHaveLength(1);
});
