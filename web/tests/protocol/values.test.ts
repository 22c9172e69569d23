// Derivations, numbers and typed texts against protocol/vectors/values.json.

import { expect, test } from "vitest";
import { checkHybridIdentity, identityFromBytes, recipientOf } from "../../src/crypto/age";
import { argon2id, argon2idPlain } from "../../src/crypto/argon2";
import { linkFp } from "../../src/crypto/envelopes";
import { pairingWords } from "../../src/crypto/pairing";
import { checkChosen, newPassphrase, WORDS } from "../../src/crypto/passphrase";
import { prfInput } from "../../src/crypto/prf";
import { isSameGroup, readRecoveryCode, recoveryGroups, writeRecoveryCode } from "../../src/crypto/recovery";
import { safetyNumber } from "../../src/crypto/safety";
import { fp, sign, signingKey, verify } from "../../src/crypto/signing";
import {
  greetingAccess,
  kdf,
  linkAccess,
  linkAccessWithPassword,
  linkSalt,
  normalisePassphrase,
  passphraseAccess,
  unlockAccess,
  type Access,
} from "../../src/crypto/unlock";
import { utf8 } from "../../src/protocol/encoding";
import { hex, hexSha256, outcome, unhex, values } from "./vectors";

interface Way {
  secret: string;
  identity: string;
  recipient: string;
  bearer: string;
  bearer_sha256: string;
}

const VALUES = (await values("values.json")) as {
  kdf: { ikm: string; info: string; out: string }[];
  unlock: Way;
  unlock_20_bytes: Way;
  link: Way;
  greeting: Way;
  link_with_password: Way & { password: string; salt: string };
  webauthn_prf_input: string;
  argon2id: { passphrase: string; salt: string; out: string };
  passphrase: { typed: string; stretched: string }[];
  ed25519: { seed: string; public: string; fp: string; message: string; signature: string };
  link_fp: { recipient: string; fp: string };
  hybrid: { identity: string; recipient: string };
  recovery_code: { text: string; expect: string; hex?: string }[];
  pairing_words: { recipient: string; words: string[] }[];
  safety_number: { accounts: [Account, Account]; raw: string; number: string; code: string }[];
};
interface Account {
  acct: string;
  sign: string;
}

async function expectWay(access: Access, way: Way) {
  const { identity, bearer } = access;
  expect({
    identity,
    recipient: await recipientOf(identity),
    bearer: hex(bearer),
    bearer_sha256: await hexSha256(bearer),
  }).toEqual({
    identity: way.identity,
    recipient: way.recipient,
    bearer: way.bearer,
    bearer_sha256: way.bearer_sha256,
  });
}

test.each(VALUES.kdf)("kdf $info", ({ ikm, info, out }) => {
  expect(hex(kdf(unhex(ikm), info))).toBe(out);
});

test("ways in", async () => {
  await expectWay(unlockAccess(unhex(VALUES.unlock.secret)), VALUES.unlock);
  await expectWay(unlockAccess(unhex(VALUES.unlock_20_bytes.secret)), VALUES.unlock_20_bytes);
  await expectWay(linkAccess(unhex(VALUES.link.secret)), VALUES.link);
  await expectWay(greetingAccess(unhex(VALUES.greeting.secret)), VALUES.greeting);
  expect(hex(await prfInput())).toBe(VALUES.webauthn_prf_input);
});

test("a link's password goes into the identity, not into the bearer", async () => {
  const way = VALUES.link_with_password;
  expect(hex(linkSalt(unhex(way.secret)))).toBe(way.salt);
  await expectWay(await linkAccessWithPassword(unhex(way.secret), way.password), way);
  expect([way.bearer === VALUES.link.bearer, way.identity === VALUES.link.identity]).toEqual([true, false]);
});

test("argon2id gives the same by WebAssembly and without", { timeout: 300_000 }, async () => {
  const { passphrase, salt, out } = VALUES.argon2id;
  expect(hex(await argon2id(utf8(passphrase), unhex(salt)))).toBe(out);
  // In a browser it is shown by tests/protocol/test_web_worker.py, under the worker's policy.
  if (!("window" in globalThis)) expect(hex(await argon2idPlain(utf8(passphrase), unhex(salt)))).toBe(out);
  expect(await passphraseAccess(" correct  horse ", unhex(salt))).toEqual(unlockAccess(unhex(out)));
  expect((await outcome(() => passphraseAccess(passphrase, unhex("00")))).code).toBe("salt-malformed");
});

test.each(VALUES.passphrase)("passphrase $stretched", ({ typed, stretched }) => {
  expect(normalisePassphrase(typed)).toBe(stretched);
});

test("ed25519", () => {
  const { seed, public: key, fp: print, message, signature } = VALUES.ed25519;
  const own = signingKey(unhex(seed));
  expect([hex(own.public), fp(own.public), hex(sign(own, unhex(message)))]).toEqual([key, print, signature]);
  verify(own.public, unhex(signature), unhex(message));
});

test("a link's fingerprint and a hybrid key", async () => {
  expect(linkFp(VALUES.link_fp.recipient)).toBe(VALUES.link_fp.fp);
  expect(await recipientOf(identityFromBytes(Uint8Array.from({ length: 32 }, (_, at) => at)))).toBe(
    VALUES.link_fp.recipient,
  );
  checkHybridIdentity(VALUES.hybrid.identity);
  expect(await recipientOf(VALUES.hybrid.identity)).toBe(VALUES.hybrid.recipient);
});

test.each(VALUES.recovery_code)("recovery code $text", async ({ text, expect: expected, hex: bytes }) => {
  const { value, code } = await outcome(() => readRecoveryCode(text));
  expect(code).toBe(expected === "success" ? null : expected);
  if (value) expect(hex(value)).toBe(bytes);
});

test("a recovery code is written in nine groups that can be asked for", () => {
  for (const { text, hex: bytes } of VALUES.recovery_code.slice(0, 4))
    expect(writeRecoveryCode(unhex(bytes ?? ""))).toBe(text);
  const groups = recoveryGroups(VALUES.recovery_code[3]?.text ?? "");
  expect(groups).toEqual(["YQKW", "9A2E", "D1JV", "WXHK", "THJK", "6PMA", "QWND", "CYYX", "1"]);
  expect([isSameGroup(" dijv", "D1JV"), isSameGroup("D1JW", "D1JV")]).toEqual([true, false]);
});

test.each(VALUES.safety_number)("safety number $number", ({ accounts: [one, other], raw, number, code }) => {
  const side = ({ acct, sign: key }: Account) => ({ acct, sign: unhex(key) });
  const found = safetyNumber(side(one), side(other));
  expect([found.groups.join(" "), hex(found.raw), found.code]).toEqual([number, raw, code]);
});

test("a made passphrase has six words of the EFF's long list", () => {
  expect([WORDS.length, new Set(WORDS).size]).toEqual([7776, 7776]);
  const made = Array.from({ length: 200 }, newPassphrase);
  expect(made.every((passphrase) => passphrase.split(" ").length === 6)).toBe(true);
  expect(
    made
      .join(" ")
      .split(" ")
      .every((one) => WORDS.includes(one)),
  ).toBe(true);
  expect(new Set(made).size).toBe(200);
});

test("a chosen passphrase is judged", async () => {
  const judged = async (passphrase: string) => (await outcome(() => checkChosen(passphrase, "ann"))).code;
  expect(await judged("correct horse")).toBe(null);
  expect(await judged("short")).toBe("passphrase-too-short");
  expect(await judged("           a b           ")).toBe("passphrase-too-short");
  expect(await judged("aaaabbbbaaaabbbb")).toBe("passphrase-too-simple");
  expect(await judged("Annannann hello")).toBe("passphrase-too-simple");
});

test.each(VALUES.pairing_words)("pairing words of $recipient", ({ recipient, words }) => {
  expect(pairingWords(recipient)).toEqual(words);
});

test("pairing words are of recipients only", () => {
  const [{ recipient } = { recipient: "" }] = VALUES.pairing_words;
  for (const other of ["", "age1", recipient.toUpperCase(), `${recipient} `, recipient.slice(0, -1)]) {
    expect(() => pairingWords(other)).toThrow();
  }
});
