// Every family of protocol/vectors/ but the videos (tests/crypto/video.test.ts) and the values.

import { describe, expect, test } from "vitest";
import { checkHistory, checkSuccessor, readRecord } from "../../src/crypto/account";
import { joinContacts, later, type Contact } from "../../src/crypto/contacts";
import { readContainer, readPayload } from "../../src/crypto/container";
import { openDetails, type Kind } from "../../src/crypto/details";
import { checkNotRolledBack, openKeyring, type Keyring } from "../../src/crypto/keyring";
import { mergeKeyrings } from "../../src/crypto/keyring-changes";
import { follow, type Pin } from "../../src/crypto/pins";
import { openProfile } from "../../src/crypto/profile";
import { openEnvelope, openLinkEnvelope, openOwnCopy, type OpenedEnvelope } from "../../src/crypto/receiving";
import { mergeSeen, openContacts, openSeen, openSettings, type Setting } from "../../src/crypto/shards";
import { isSuccession } from "../../src/crypto/successions";
import { greetingAccess } from "../../src/crypto/unlock";
import { b64, unb64 } from "../../src/protocol/encoding";
import { ProtocolError, REFUSALS } from "../../src/protocol/errors";
import { struct } from "../../src/protocol/shape";
import { family, outcome, values, type Vector } from "./vectors";

const anything = struct({});

function maybeKey(text: string | undefined): Uint8Array | undefined {
  return text === undefined ? undefined : unb64(text);
}

test.each(await family("container"))("container/$name", async (vector) => {
  const { code } = await outcome(() => {
    const box = readContainer(vector.body, "envelope", 65_536);
    readPayload(box, anything);
    expect(box.signer ? b64(box.signer) : "-").toBe(vector.text("signer"));
  });
  expect(code).toBe(vector.refusal);
});

test.each(await family("record"))("record/$name", async (vector) => {
  const { value, code } = await outcome(() => readRecord(vector.body));
  expect(code).toBe(vector.refusal);
  if (!value) return;
  expect([value.acct, value.rev, value.sha256]).toEqual([
    vector.text("acct"),
    vector.number("rev"),
    vector.text("sha256"),
  ]);
});

test.each(await family("chain"))("chain/$name", async (vector) => {
  const { code } = await outcome(() => checkSuccessor(unb64(vector.text("previous")), vector.body));
  expect(code).toBe(vector.refusal);
});

test.each(await family("succession"))("succession/$name", (vector) => {
  const [old, next] = [unb64(vector.text("old")), unb64(vector.text("new"))];
  const leads = isSuccession(b64(vector.body), vector.text("acct"), old, next);
  expect(leads ? null : "succession-bad").toBe(vector.refusal);
});

test.each(await family("pin"))("pin/$name", async (vector) => {
  const pin = vector.json<Pin>("pin") as Pin;
  const { value, code } = await outcome(() =>
    follow(
      pin,
      vector.text("acct"),
      vector.texts("record").map((one) => unb64(one)),
    ),
  );
  expect(code).toBe(vector.refusal);
  if (value) expect(value).toEqual(vector.json("moved"));
});

function pinnedOf(vector: Vector) {
  const entry = vector.json<{ acct: string; sign: string; former?: string[] }>("pin");
  return (acct: string): Pin | undefined =>
    entry?.acct === acct ? { era: 0, rev: 1, record: "", sign: entry.sign, former: entry.former ?? [] } : undefined;
}

function openFromBox(vector: Vector): Promise<OpenedEnvelope> {
  const nowMs = vector.number("now");
  const identity = vector.text("identity");
  const pinned = pinnedOf(vector);
  if (vector.text("box") === "link") return openLinkEnvelope(vector.body, { identity, pinned, nowMs });
  const me = {
    acct: vector.text("acct"),
    keys: vector.texts("sign").map((key) => unb64(key)),
    aliases: vector.texts("alias"),
  };
  if (vector.text("box") === "sent") return openOwnCopy(vector.body, { identities: [identity], me, nowMs });
  const before = vector.json<{ id: string; digest: string }>("seen");
  const seen = (id: string) => (before?.id === id ? before.digest : undefined);
  return openEnvelope(vector.body, { identities: [identity], me, pinned, seen, nowMs });
}

test.each(await family("envelope"))("envelope/$name", async (vector) => {
  const { value, code } = await outcome(() => openFromBox(vector));
  expect(code).toBe(vector.refusal);
  if (!value) return;
  const shown = { trust: value.trust, id: value.fields.id, digest: value.digest, "seen-shard": value.seenShard };
  for (const [key, found] of Object.entries(shown)) expect(found).toBe(vector.maybe(key) ?? found);
});

test.each(await family("details"))("details/$name", async (vector) => {
  const signed = { sha256: vector.text("sha256"), kind: vector.text("kind") as Kind };
  const { value, code } = await outcome(() => openDetails(vector.body, vector.text("key"), signed));
  expect(code).toBe(vector.refusal);
  if (value) expect(value.caption).toBe(vector.maybe("caption"));
});

test.each(await family("profile"))("profile/$name", async (vector) => {
  const owner = { acct: vector.text("acct"), keys: vector.texts("sign").map((key) => unb64(key, 32)) };
  const identity = greetingAccess(unb64(vector.text("secret"), 16)).identity;
  const { value, code } = await outcome(() => openProfile(vector.body, identity, owner));
  expect(code).toBe(vector.refusal);
  if (value) expect([value.greeting, value.note]).toEqual([vector.maybe("greeting"), vector.maybe("note")]);
});

test.each(await family("keyring"))("keyring/$name", async (vector) => {
  const expected = { acct: vector.text("acct"), known: maybeKey(vector.maybe("known")) };
  const { code } = await outcome(async () => {
    const keyring = await openKeyring(vector.body, vector.text("identity"), expected);
    checkNotRolledBack(keyring, vector.number("highest-rev"));
    expect(keyring.rev).toBe(vector.number("rev"));
  });
  expect(code).toBe(vector.refusal);
});

test.each(await family("state"))("state/$name", async (vector) => {
  const opening = {
    states: [vector.text("state")],
    signers: [unb64(vector.text("signer"))],
    highestRev: vector.number("highest-rev"),
  };
  const name = vector.text("shard");
  const { code } = await outcome(async () => {
    if (name === "contacts") return openContacts(vector.body, opening);
    return name === "settings" ? openSettings(vector.body, opening) : openSeen(vector.body, name, opening);
  });
  expect(code).toBe(vector.refusal);
});

describe("merges", async () => {
  interface Case<T> {
    one: T;
    other: T;
    merged: T;
  }
  const merges = (await values("merges.json")) as {
    contacts: Case<Contact>[];
    settings: Case<Setting>[];
    seen: Case<string>[];
    keyring: { name: string; base: Keyring; mine: Keyring; theirs: Keyring; merged?: Keyring; code?: string }[];
  };

  test.each(merges.contacts)("of contacts %#", ({ one, other, merged }) => {
    expect([joinContacts(one, other), joinContacts(other, one)]).toEqual([merged, merged]);
  });

  test.each(merges.settings)("of settings %#", ({ one, other, merged }) => {
    expect([later(one, other), later(other, one)]).toEqual([merged, merged]);
  });

  test.each(merges.seen)("of seen ids %#", ({ one, other, merged }) => {
    const shard = (digest: string) => ({ shard: "seen-2027-01", rev: 0, ids: new Map([["x", digest]]) });
    expect(mergeSeen(shard(one), shard(other)).ids.get("x")).toBe(merged);
    expect(mergeSeen(shard(other), shard(one)).ids.get("x")).toBe(merged);
  });

  test.each(merges.keyring)("of keyrings: $name", async ({ base, mine, theirs, merged, code }) => {
    for (const sides of [[mine, theirs] as const, [theirs, mine] as const]) {
      const found = await outcome(() => mergeKeyrings(base, ...sides));
      expect(found.code).toBe(code ?? null);
      expect(found.value && inAnyOrder(found.value)).toEqual(merged && inAnyOrder(merged));
    }
  });
});

function inAnyOrder(keyring: Keyring) {
  const sorted = (entries: readonly object[]) => entries.map((entry) => JSON.stringify(entry)).sort();
  const { enc, unlock, devices } = keyring;
  return { ...keyring, enc: sorted(enc), unlock: sorted(unlock), devices: sorted(devices) };
}

test("every code that a vector demands is in the closed list", async () => {
  const names = ["container", "record", "chain", "pin", "envelope", "details", "video", "keyring", "state"];
  const demanded = (await Promise.all(names.map(family))).flat().map((vector) => vector.refusal);
  for (const code of demanded) if (code !== null) expect(REFUSALS).toContain(code);
});

test("a history is one chain from the first record on, of the account asked for", async () => {
  const [vector] = (await family("pin")).filter(({ name }) => name === "ok-earlier-history");
  const history = vector?.texts("record").map((one) => unb64(one)) ?? [];
  expect(checkHistory("ann@post.example", history).rev).toBe(history.length);
  expect(() => checkHistory("bob@post.example", history)).toThrow(new ProtocolError("record-other-account"));
  expect(() => checkHistory("ann@post.example", history.slice(1))).toThrow(new ProtocolError("record-chain-broken"));
  expect(() => checkHistory("ann@post.example", [])).toThrow(new ProtocolError("record-chain-broken"));
});
