// What is passed on against protocol/vectors/forward, groups against groups/ and merges.json; and that what is sealed here opens.

import { expect, test } from "vitest";
import { currentRecipient, readRecord } from "../../src/crypto/account";
import { membersOf, joinGroups, type Group } from "../../src/crypto/groups";
import type { Pin } from "../../src/crypto/pins";
import { openEnvelope } from "../../src/crypto/receiving";
import { Session } from "../../src/crypto/session";
import { contentOf, openGroups } from "../../src/crypto/shards";
import { b64, unb64 } from "../../src/protocol/encoding";
import { REFUSALS } from "../../src/protocol/errors";
import { newId } from "../../src/protocol/ids";
import { newMessageKey } from "../../src/crypto/video";
import { family, outcome, values, type Vector } from "./vectors";

type Pinned = Pick<Pin, "sign" | "former"> & { acct: string };

function opened(vector: Vector) {
  const pins = vector.texts("pin").map((text) => JSON.parse(text) as Pinned);
  const pinned = (acct: string): Pin | undefined => {
    const found = pins.find((pin) => pin.acct === acct);
    return found && { era: 0, rev: 1, record: "", sign: found.sign, former: found.former };
  };
  const me = { acct: vector.text("acct"), keys: [unb64(vector.text("sign"))] };
  const identities = [vector.text("identity")];
  return openEnvelope(vector.body, { identities, me, pinned, seen: () => undefined, nowMs: vector.number("now") });
}

test.each(await family("forward"))("forward/$name", async (vector) => {
  const { value, code } = await outcome(() => opened(vector));
  expect(code).toBe(vector.refusal);
  if (code !== null) expect(REFUSALS).toContain(code);
  if (!value) return;
  const { acct, name, createdMs } = value.original ?? { acct: undefined, name: null, createdMs: 0 };
  expect(value).toMatchObject({ trust: vector.text("trust"), digest: vector.text("digest") });
  expect(value.fields.from?.acct).toBe(vector.text("from"));
  expect([acct || "-", name ?? undefined]).toEqual([vector.text("original"), vector.maybe("original-name")]);
  expect(createdMs).toBe(vector.number("original-created"));
});

test.each(await family("groups"))("groups/$name", async (vector) => {
  const opening = {
    states: [vector.text("state")],
    signers: [unb64(vector.text("signer"))],
    highestRev: vector.number("highest-rev"),
  };
  const { code } = await outcome(() => openGroups(vector.body, opening));
  expect(code).toBe(vector.refusal);
});

interface Written {
  name: Group["name"];
  members: Record<string, { value: boolean; at: number }>;
}
const merges = (await values("merges.json")) as { groups: { one: Written; other: Written; merged: Written }[] };
const read = ({ name, members }: Written): Group => ({ name, members: new Map(Object.entries(members)) });
const written = (group: Group): unknown => {
  const shard = { shard: "groups", rev: 0, groups: new Map([["grp_x", group]]) };
  return JSON.parse(JSON.stringify(contentOf(shard)));
};

test.each(merges.groups)("of groups %#", ({ one, other, merged }) => {
  const expected = { shard: "groups", rev: 0, groups: { grp_x: merged } };
  for (const [mine, theirs] of [[one, other] as const, [other, one] as const])
    expect(written(joinGroups(read(mine), read(theirs)))).toEqual(expected);
});

test("only who is still in it is a member, by address", () => {
  const yes = { value: true, at: 1 };
  const members = new Map([
    ["zoe@post.example", yes],
    ["ann@post.example", yes],
    ["bob@post.example", { value: false, at: 2 }],
  ]);
  expect(membersOf({ name: { value: "family", at: 1 }, members })).toEqual(["ann@post.example", "zoe@post.example"]);
});

const NOW = Date.now();

async function person(name: string) {
  const session = new Session();
  const acct = `${name}@post.example`;
  const { record } = await session.makeAccount({ acct, passphrase: "detonator reckless unaligned", nowMs: NOW });
  return { acct, session, record: unb64(record) };
}

async function sentTo(may: boolean) {
  const [ann, bob, cat] = await Promise.all(["ann", "bob", "cat"].map(person));
  if (!ann || !bob || !cat) throw new TypeError("nobody");
  ann.session.meet(bob.acct, [bob.record], null, NOW);
  const wanted = { id: newId("msg"), kind: "text" as const, createdMs: NOW, messageKey: newMessageKey() };
  const terms = may ? { mayForward: true } : {};
  const message = await ann.session.composeMessage({ ...wanted, ...terms, details: { text: "Hello" } }, [bob.record]);
  bob.session.meet(ann.acct, [ann.record], null, NOW);
  bob.session.meet(cat.acct, [cat.record], null, NOW);
  for (const { session } of [bob, cat]) session.noShard(monthOf(NOW));
  return { ann, bob, cat, sealed: unb64(message.envelopes["bob"] ?? "") };
}

const monthOf = (ms: number): string => `seen-${new Date(ms).toISOString().slice(0, 7)}`;

test("what is passed on opens, says by whom and whose it was, and is passed on by nobody else", async () => {
  const { ann, bob, cat, sealed } = await sentTo(true);
  const passed = await bob.session.forwardMessage(sealed, "bob", [cat.record], NOW);
  const raw = unb64(passed["cat"] ?? "");
  cat.session.meet(bob.acct, [bob.record], null, NOW);
  expect((await cat.session.openEnvelope(raw, NOW)).original).toMatchObject({ acct: "", name: null });
  cat.session.meet(ann.acct, [ann.record], null, NOW);
  const again = await cat.session.openEnvelope(raw, NOW);
  expect([again.fields.from?.acct, again.original?.acct]).toEqual([bob.acct, ann.acct]);
  expect(again.fields.may_forward).toBeUndefined();
  expect(currentRecipient(readRecord(cat.record), NOW)).toMatch(/^age1pq1/);
  const refused = await outcome(() => cat.session.forwardMessage(raw, "cat", [bob.record], NOW));
  expect(refused.code).toBe("forward-not-allowed");
});

test("what the sender did not allow is not passed on", async () => {
  const { bob, cat, sealed } = await sentTo(false);
  const { code } = await outcome(() => bob.session.forwardMessage(sealed, "bob", [cat.record], NOW));
  expect(code).toBe("forward-not-allowed");
});

test("a receipt that one writes is the one that the other checks; another's key confirms nothing", async () => {
  const { ann, bob, cat, sealed } = await sentTo(true);
  const { fields, signer } = await bob.session.openEnvelope(sealed, NOW);
  const message = { id: fields.id, details: fields.details };
  const received = { ...message, from: ann.acct, signer: signer ? b64(signer) : "" };
  const raw = bob.session.writeReceipt(received, "played", NOW) ?? "";
  const sent = { ...message, sentTo: [bob.acct] };
  const check = (of: typeof sent, given: string, by = bob.acct) =>
    ann.session.checkReceipts(of, [{ by, kind: "played", raw: given }], NOW);
  expect(check(sent, raw)).toEqual([{ code: null, at: NOW }]);
  const forged = cat.session.writeReceipt(received, "played", NOW) ?? "";
  expect(check(sent, forged)[0]?.code).toBe("receipt-forged");
  expect(check({ ...sent, id: newId("msg") }, raw)[0]?.code).toBe("receipt-of-other");
  expect(check(sent, raw, cat.acct)[0]?.code).toBe("receipt-forged");
  expect(check(sent, "!")[0]?.code).toBe("receipt-malformed");
});
