// Receipts against protocol/vectors/receipts.json, and what is kept against merges.json.

import { expect, test } from "vitest";
import { checkReceipt, writeReceipt } from "../../src/crypto/receipts";
import { joinFlags, type Flags } from "../../src/crypto/shards";
import { fp, newSigningKey } from "../../src/crypto/signing";
import { unb64 } from "../../src/protocol/encoding";
import { outcome, values } from "./vectors";

interface Given {
  now: number;
  message: { id: string; details: string; sent_to: string[] };
  me: { acct: string; sign: string };
  by: { acct: string; sign: string };
  kind: "played";
  receipts: { name: string; code: string | null; raw: string }[];
}

const given = (await values("receipts.json")) as Given;
const me = unb64(given.me.sign);
const expected = {
  kind: given.kind,
  of: { ...given.message, to: { acct: given.me.acct, fp: fp(me) } },
  by: given.by.acct,
  keys: [unb64(given.by.sign)],
  myKeys: [me],
  nowMs: given.now,
};

test.each(given.receipts)("receipt: $name", async ({ raw, code }) => {
  expect((await outcome(() => checkReceipt(raw, expected))).code).toBe(code);
});

test("what is written is accepted, and a caller without an account gets none", () => {
  const key = newSigningKey();
  const { id, details } = given.message;
  const fields = { id, kind: "video", created: 1, to: {}, from: { acct: given.me.acct }, key: "", details };
  const how = { kind: given.kind, me: given.by.acct, signer: me, key, nowMs: given.now };
  const raw = writeReceipt(fields, how) ?? "";
  expect(checkReceipt(raw, { ...expected, keys: [key.public] }).at).toBe(given.now);
  expect(writeReceipt({ ...fields, from: null }, how)).toBeNull();
});

const merges = (await values("merges.json")) as { kept: { one: Flags; other: Flags; merged: Flags }[] };

test.each(merges.kept)("of what is kept %#", ({ one, other, merged }) => {
  expect([joinFlags(one, other), joinFlags(other, one)]).toEqual([merged, merged]);
});
