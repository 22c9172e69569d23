import { beforeAll, describe, expect, test } from "vitest";
import { composeCall, type PageOwner } from "../../src/crypto/calls";
import { solveProof } from "../../src/crypto/proof";
import { newMessageKey } from "../../src/crypto/video";
import { fp } from "../../src/crypto/signing";
import { b64, unb64 } from "../../src/protocol/encoding";
import { newId, randomBytes } from "../../src/protocol/ids";
import { cryptoInProcess } from "../state/in_process";
import { correspondent, letterOf, type Correspondent } from "../state/mail";

let ann: Correspondent;
let bob: Correspondent;
let owner: PageOwner;
const caller = cryptoInProcess().service;
const secret = randomBytes(16);
const video = {
  size: 1000,
  part: 262_144,
  sha256: [b64(new Uint8Array(32))],
  type: "video/mp4",
  ms: 4000,
  w: 640,
  h: 360,
};

beforeAll(async () => {
  [ann, bob] = await Promise.all([correspondent("ann"), correspondent("bob")]);
  for (const { crypto } of [ann, bob]) await crypto.noShard("contacts");
  const { sign } = await ann.crypto.account();
  owner = { acct: ann.acct, history: [unb64(ann.record)], fp: fp(unb64(sign)) };
});

const call = (more: object = {}) => ({
  ...{ id: newId("msg"), createdMs: Date.now(), messageKey: newMessageKey(), upload: newId("upl") },
  details: { video, caption: "It is about the piano" },
  ...more,
});

describe("a call", () => {
  test("opens for the owner: unsigned, under the name that was written, with where it may be answered", async () => {
    const wanted = call({ name: "Hedy", answer: b64(randomBytes(32)) });
    const { envelopes, message } = await composeCall(wanted, owner);
    const opened = await ann.crypto.openEnvelope(unb64(envelopes.owner), Date.now());
    expect([opened.trust, opened.fields.from]).toEqual(["unsigned", { name: "Hedy" }]);
    expect(opened.fields.answer_to?.recipient).toMatch(/^age1/);
    expect(JSON.parse(message)).toMatchObject({ id: wanted.id, kind: "video", upload: wanted.upload });
    await expect(bob.crypto.openEnvelope(unb64(envelopes.owner), Date.now())).rejects.toMatchObject({
      code: "envelope-no-match",
    });
  });

  test("is sealed for nobody but whom the address names", async () => {
    const strange = { ...owner, fp: fp(randomBytes(32)) };
    await expect(composeCall(call(), strange)).rejects.toMatchObject({ code: "fingerprint-mismatch" });
    const other = { ...owner, history: [unb64(bob.record)] };
    await expect(composeCall(call(), other)).rejects.toMatchObject({ code: "record-other-account" });
  });
});

describe("an answering page", () => {
  test("says what its owner sealed, to those who have its link", async () => {
    const profile = await ann.crypto.sealProfile({ note: "Back on Monday" }, secret, Date.now());
    expect((await caller.openProfile(unb64(profile), secret, owner)).note).toBe("Back on Monday");
    await expect(caller.openProfile(unb64(profile), randomBytes(16), owner)).rejects.toMatchObject({
      code: "page-damaged",
    });
    const forged = await bob.crypto.sealProfile({ note: "Send money" }, secret, Date.now());
    await expect(caller.openProfile(unb64(forged), secret, owner)).rejects.toMatchObject({ code: "wrong-signer" });
  });

  test("greets by the message that its profile names, signed by its owner, and by no other", async () => {
    const sent = await letterOf(ann, bob, "Hello");
    const link = await ann.crypto.makeGreetingLink(unb64(sent.sent), secret, Date.now());
    const named = { owner, greeting: sent.id, nowMs: Date.now() };
    expect((await caller.openGreeting(unb64(link.envelope), secret, named)).fields.id).toBe(sent.id);
    expect((await caller.pageTarget(secret)).bearerSha256).toBe(link.bearerSha256);
    const other = { ...named, greeting: newId("msg") };
    await expect(caller.openGreeting(unb64(link.envelope), secret, other)).rejects.toMatchObject({
      code: "page-damaged",
    });
    const bobs = await letterOf(bob, ann, "Hello");
    const strange = await bob.crypto.makeGreetingLink(unb64(bobs.sent), secret, Date.now());
    await expect(
      caller.openGreeting(unb64(strange.envelope), secret, { ...named, greeting: bobs.id }),
    ).rejects.toMatchObject({ code: "wrong-signer" });
  });
});

test("a message that goes to a link alone asks the server for it, and opens by its secret", async () => {
  const link = await caller.pageTarget(secret);
  const wanted = { ...call(), kind: "video" as const, name: "ann", links: [link] };
  const { message, links, envelopes } = await ann.crypto.composeMessage(wanted, []);
  expect(envelopes).toEqual({});
  expect(JSON.parse(message)).toMatchObject({ recipients: [], links: [{ bearer_sha256: link.bearerSha256 }] });
  const named = { owner, greeting: wanted.id, nowMs: Date.now() };
  expect((await caller.openGreeting(unb64(links[0] ?? ""), secret, named)).fields.key).toBe(wanted.messageKey);
});

describe("the proof of work", () => {
  /** Made by the server's library, so that the two agree on every byte. */
  const CHALLENGE = {
    parameters: {
      algorithm: "PBKDF2/SHA-256",
      cost: 20,
      keyLength: 32,
      keyPrefix: "306b9c3bbe660fc858bdf0d3a4c0da4f",
      nonce: "577aa16dda073b63ebc998261fe85c09",
      salt: "090aac7b04bb333072a668957568e858",
      keySignature: "2e985c7e83ee50b11126fdd8b86f73d8775a185810c61afe57c0e2819a0594c7",
      expiresAt: 1795394919,
      data: { page: "grace" },
    },
    signature: "d1b7fea7ceb674fc793e88c55800a3fd40c127c9e93e67bb2d62e2aa7cb5404f",
  };

  test("finds what the server's library finds", async () => {
    const payload = await solveProof(CHALLENGE, 60_000);
    const { challenge, solution } = JSON.parse(atob(payload ?? "")) as {
      challenge: unknown;
      solution: { counter: number; derivedKey: string };
    };
    expect(challenge).toEqual(CHALLENGE);
    expect(solution).toMatchObject({
      counter: 117,
      derivedKey: "306b9c3bbe660fc858bdf0d3a4c0da4f8a97b05840b8f5e986de800d8830e9c7",
    });
  });

  test("ends without one when there is none in time", async () => {
    const parameters = { ...CHALLENGE.parameters, keyPrefix: "00".repeat(16) };
    expect(await solveProof({ ...CHALLENGE, parameters }, 20)).toBeNull();
  });
});
