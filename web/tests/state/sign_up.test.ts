import { beforeEach, expect, test } from "vitest";
import { recoveryGroups } from "../../src/crypto/recovery";
import { StorageError } from "../../src/storage/errors";
import { SignUp, type Chosen } from "../../src/state/sign_up.svelte";
import { Api } from "../../src/transfer/http";
import { FakeServer } from "./fake_server";
import { FakePasskeys } from "./fake_passkeys";
import { cryptoInProcess, type InProcess } from "./in_process";

let server: FakeServer;
let crypto: InProcess;
let entered: string[];
let enter: () => Promise<void>;
let steps: SignUp;
let passkeys: FakePasskeys;

beforeEach(() => {
  server = new FakeServer();
  crypto = cryptoInProcess();
  passkeys = new FakePasskeys();
  passkeys.areKnown = false;
  entered = [];
  enter = async () => undefined;
  begin();
});

function begin(): void {
  steps = new SignUp({
    api: new Api({ fetch: server.fetch }),
    passkeys,
    label: "Firefox, Linux",
    startCrypto: () => crypto.service,
    enter: async (_crypto, account) => {
      await enter();
      entered.push(account.acct);
    },
    draw: () => 2,
  });
}

const WORDS = {
  account: "ann",
  way: "passphrase",
  passphrase: "detonator reckless unaligned jackal gratuity copilot",
  own: false,
} as const;
const BY_TOUCH = { account: "ann", way: "passkey", passphrase: "", own: false } as const;

async function toTheProof(chosen: Chosen = WORDS): Promise<readonly [string, string]> {
  await steps.choose(chosen);
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
  await steps.choose({ ...WORDS, passphrase, own: true });
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

async function withPasskeys(kind: FakePasskeys["kind"] = "prf"): Promise<void> {
  steps.close();
  crypto = cryptoInProcess();
  server.hasPasskeys = passkeys.areKnown = true;
  passkeys.kind = kind;
  begin();
  await expect.poll(() => steps.hasPasskeys).toBe(true);
}

const ways = (): string[] => server.accounts.get("ann")?.unlock.map(({ type }) => type) ?? [];
const methods = async (): Promise<string[]> => (await crypto.service.account()).methods.map(({ type }) => type);

test.each([
  ["prf", 1],
  ["late", 2],
  ["once", 2],
] as const)("a passkey opens the mailbox when its answer came twice: %s, %i touches", async (kind, touches) => {
  await withPasskeys(kind);
  await steps.prove(await toTheProof(BY_TOUCH));
  expect(passkeys.touches).toBe(touches);
  expect(entered).toEqual(["ann@post.example"]);
  expect(ways()).toEqual(["passkey", "recovery"]);
  expect((await methods()).sort()).toEqual(["passkey", "recovery"]);
  const { sealed } = { sealed: server.files.get("account/keyring")?.data ?? new Uint8Array() };
  const elsewhere = cryptoInProcess().service;
  await elsewhere.takePasskey((await passkeys.again())[0] ?? new Uint8Array());
  await expect(elsewhere.openKeyring({ sealed, acct: "ann@post.example" })).resolves.toMatchObject({ rev: 2 });
});

test.each(["plain", "fickle"] as const)(
  "a passkey that does not unlock signs in, beside a passphrase: %s",
  async (kind) => {
    await withPasskeys(kind);
    await steps.prove(await toTheProof(BY_TOUCH));
    expect(steps.step).toEqual({ kind: "words", signsInOnly: true, working: false, failure: null });
    expect(server.accounts.size).toBe(0);
    await steps.chooseWords({ passphrase: "short one", own: true });
    expect(steps.step).toMatchObject({ kind: "words", failure: { code: "passphrase-too-short" } });
    await steps.chooseWords({ passphrase: WORDS.passphrase, own: false });
    expect(entered).toEqual(["ann@post.example"]);
    expect(ways().sort()).toEqual(["passkey", "passphrase", "recovery"]);
    expect((await methods()).sort()).toEqual(["passphrase", "recovery"]);
  },
);

test("who turns away from the first touch is asked again; from the second, only for that", async () => {
  await withPasskeys("once");
  passkeys.refusals = ["passkey-cancelled", "", "passkey-cancelled"];
  await steps.prove(await toTheProof(BY_TOUCH));
  expect(steps.step).toEqual({ kind: "touch", again: false, working: false, failure: { code: "passkey-cancelled" } });
  await steps.touch();
  expect(steps.step).toMatchObject({ kind: "touch", again: true, failure: { code: "passkey-cancelled" } });
  await steps.touch();
  expect(entered).toEqual(["ann@post.example"]);
  expect([passkeys.touches, passkeys.disowned]).toEqual([2, []]);
});

test("a passphrase may take the passkey's place at the end, and the passkey is given back", async () => {
  await withPasskeys("once");
  passkeys.refusals = ["", "passkey-cancelled"];
  await steps.prove(await toTheProof(BY_TOUCH));
  await steps.useWords();
  await steps.chooseWords({ passphrase: WORDS.passphrase, own: false });
  expect([entered, ways().sort()]).toEqual([["ann@post.example"], ["passphrase", "recovery"]]);
  expect((await methods()).sort()).toEqual(["passphrase", "recovery"]);
  expect(passkeys.disowned).toHaveLength(1);
});

test("a passkey that the server refuses is given back, and another one is made", async () => {
  await withPasskeys();
  const groups = await toTheProof(BY_TOUCH);
  server.losesAnswersOf = "/api/v1/passkeys/registration";
  await steps.prove(groups);
  expect(steps.step).toMatchObject({ kind: "touch", again: false, failure: { code: "offline" } });
  server.losesAnswersOf = "";
  server.refusesPasskeys = 1;
  await steps.touch();
  expect(steps.step).toMatchObject({ kind: "touch", again: false, failure: { code: "passkey-refused" } });
  expect(passkeys.disowned).toHaveLength(1);
  await steps.touch();
  expect([entered, ways()]).toEqual([["ann@post.example"], ["passkey", "recovery"]]);
  expect((await methods()).sort()).toEqual(["passkey", "recovery"]);
});

test("no request holds what the passkey gave", async () => {
  await withPasskeys();
  await steps.prove(await toTheProof(BY_TOUCH));
  const [secret] = await passkeys.again();
  const [plain, text] = [String(secret), btoa(String.fromCharCode(...(secret ?? [])))];
  expect(server.bodies.some((body) => body.includes("Y3JlZGVudGlhbA00"))).toBe(true);
  expect(server.bodies.filter((body) => body.includes(plain) || body.includes(text.slice(0, 40)))).toEqual([]);
});
