// Keyrings and shards: opening, refusing, and the laws of their merges.

import fc from "fast-check";
import { expect, test } from "vitest";
import { checkSuccessor, readRecord } from "../../src/crypto/account";
import { generateKeyPair } from "./webcrypto";
import { newX25519Identity, recipientOf, seal } from "../../src/crypto/age";
import { writePadded } from "../../src/crypto/container";
import { isVerified, joinContacts, type Contact } from "../../src/crypto/contacts";
import {
  newDevice,
  newEncryptionIdentity,
  newMethod,
  openKeyring,
  recordOf,
  sealKeyring,
  signingKeyOf,
} from "../../src/crypto/keyring";
import {
  mergeKeyrings,
  withDevice,
  withEncryptionIdentity,
  withMethod,
  withoutDevice,
  withoutMethod,
} from "../../src/crypto/keyring-changes";
import {
  mergeContacts,
  mergeSeen,
  mergeSettings,
  nextRev,
  noContacts,
  noneSeen,
  openContacts,
  openSeen,
  openSettings,
  sealShard,
  splitSeen,
  type Contacts,
  type Seen,
  type Settings,
} from "../../src/crypto/shards";
import { b64 } from "../../src/protocol/encoding";
import { newId, randomBytes } from "../../src/protocol/ids";
import { SEEN_IDS } from "../../src/protocol/limits";
import { NOW, person } from "./people";

const [ann, eve] = await Promise.all([person("ann"), person("eve")]);
const { acct } = ann.record;
const keys = { state: ann.keyring.state, signing: signingKeyOf(ann.keyring) };
const opening = { states: [ann.keyring.state], signers: ann.me.keys };

function refused(code: string) {
  return expect.objectContaining({ code });
}

test("every way in opens the keyring, a dropped one does not", async () => {
  const [laptop, phone] = [newX25519Identity(), newX25519Identity()];
  let ring = withDevice(ann.keyring, await newDevice(newId("dev"), laptop, "laptop", NOW));
  const lost = await newDevice(newId("dev"), phone, "phone", NOW);
  ring = withDevice(ring, lost);
  const sealed = await sealKeyring(ring);
  for (const identity of [ann.access.identity, laptop, phone])
    expect(await openKeyring(sealed, identity, { acct })).toEqual(ring);
  const without = await sealKeyring(withoutDevice(ring, lost.did));
  await expect(openKeyring(without, phone, { acct })).rejects.toEqual(refused("keyring-no-match"));
  expect((await openKeyring(without, laptop, { acct })).rev).toBe(ring.rev + 1);
});

test("a key that cannot be exported opens the keyring of the browser that keeps it", async () => {
  const identity = await generateKeyPair();
  const ring = withDevice(ann.keyring, await newDevice(newId("dev"), identity, "browser", NOW));
  expect(await openKeyring(await sealKeyring(ring), identity, { acct })).toEqual(ring);
  await expect(crypto.subtle.exportKey("pkcs8", identity)).rejects.toThrow();
});

test("a keyring of another key, or of another account, is forged", async () => {
  const sealed = await sealKeyring(ann.keyring);
  const { identity } = ann.access;
  const known = eve.me.keys[0];
  await expect(openKeyring(sealed, identity, { acct, known })).rejects.toEqual(refused("keyring-forged"));
  await expect(openKeyring(sealed, identity, { acct: eve.record.acct })).rejects.toEqual(refused("keyring-forged"));
  const signedByEve = writePadded("keyring", ann.keyring, eve.sender.key);
  const forged = await seal(signedByEve, [await recipientOf(identity)]);
  await expect(openKeyring(forged, identity, { acct })).rejects.toEqual(refused("keyring-forged"));
});

test("a rotated encryption identity is published by the next record, the former still opens", async () => {
  const ring = withEncryptionIdentity(ann.keyring, newEncryptionIdentity(NOW + 1));
  const record = checkSuccessor(ann.record.raw, await recordOf(ring, { nowMs: NOW + 1, previous: ann.record }));
  expect(record.fields.enc.map((entry) => entry.id)).toEqual([ring.enc[1]?.id]);
  expect(ring.enc.map((entry) => entry.retired)).toEqual([true, false]);
  expect(readRecord(record.raw).rev).toBe(2);
});

test("changes on two devices merge the same in either order", async () => {
  const device = await newDevice(newId("dev"), newX25519Identity(), "phone", NOW);
  const method = await newMethod("passphrase", newX25519Identity(), { mid: newId("mth"), label: "words", nowMs: NOW });
  const changes = fc.subarray([0, 1, 2, 3]);
  const apply = (ring: typeof ann.keyring, chosen: number[]) =>
    chosen.reduce((now, change) => {
      if (change === 0) return withDevice(now, device);
      if (change === 1) return withMethod(now, method);
      if (change === 2) return withoutMethod(now, ann.keyring.unlock[0]?.mid ?? "");
      return withEncryptionIdentity(now, newEncryptionIdentity(NOW + 2));
    }, ring);
  fc.assert(
    fc.property(changes, changes, (one, other) => {
      const [mine, theirs] = [apply(ann.keyring, one), apply(ann.keyring, other)];
      const merged = mergeKeyrings(ann.keyring, mine, theirs);
      expect(mergeKeyrings(ann.keyring, theirs, mine)).toEqual(merged);
      const same = mergeKeyrings(ann.keyring, mine, mine);
      expect([same.rev, new Set(same.unlock), new Set(same.enc)]).toEqual([
        mine.rev + 1,
        new Set(mine.unlock),
        new Set(mine.enc),
      ]); // a merge orders entries by id
      expect(merged.devices.length).toBe(one.includes(0) || other.includes(0) ? 1 : 0);
    }),
    { numRuns: 30 },
  );
});

const at = fc.integer({ min: 0, max: 2 });
const key = fc.constantFrom(
  b64(new Uint8Array(32)),
  b64(new Uint8Array(32).fill(1)),
  b64(new Uint8Array(32).fill(255)),
);
const pin = fc.record({ era: at, rev: at, record: key, sign: key, former: fc.array(key, { maxLength: 2 }) });
const contact = fc.record(
  {
    pin,
    verified: fc.record({ sign: fc.option(key), at }),
    name: fc.record({ value: fc.option(fc.constantFrom("A", "É", "z")), at }),
    blocked: fc.record({ value: fc.boolean(), at }),
    request: fc.record({ state: fc.constantFrom("pending" as const, "accepted" as const, "declined" as const), at }),
  },
  { requiredKeys: [] },
);
const entries = <T>(value: fc.Arbitrary<T>) =>
  fc.array(fc.tuple(fc.constantFrom("ann@a.b", "bob@a.b", "eve@a.b"), value), { maxLength: 4 });
const contacts: fc.Arbitrary<Contacts> = fc
  .tuple(at, entries(contact as fc.Arbitrary<Contact>))
  .map(([rev, list]) => ({ shard: "contacts", rev, contacts: new Map(list) }));
const value = fc.oneof(
  fc.constantFrom("a", "é", "10"),
  fc.integer({ min: 0, max: 12 }),
  fc.boolean(),
  fc.constant(null),
);
const settings: fc.Arbitrary<Settings> = fc
  .tuple(at, entries(fc.record({ value, at })))
  .map(([rev, list]) => ({ shard: "settings", rev, settings: new Map(list) }));
const seen: fc.Arbitrary<Seen> = fc
  .tuple(at, entries(fc.constantFrom("AAAAAAAAAAA", "AQEBAQEBAQE", "_v7-_v7-_v4")))
  .map(([rev, list]) => ({ shard: "seen-2027-01", rev, ids: new Map(list) }));

function obeysLaws<S>(name: string, shards: fc.Arbitrary<S>, merge: (one: S, other: S) => S) {
  test(`the merge of ${name} is commutative, associative and idempotent`, () => {
    fc.assert(
      fc.property(shards, shards, shards, (a, b, c) => {
        expect(merge(a, b)).toEqual(merge(b, a));
        expect(merge(merge(a, b), c)).toEqual(merge(a, merge(b, c)));
        expect(merge(a, a)).toEqual(a);
        expect(merge(merge(a, b), b)).toEqual(merge(a, b));
      }),
      { numRuns: 300 },
    );
  });
}

obeysLaws("contacts", contacts, mergeContacts);
obeysLaws("settings", settings, mergeSettings);
obeysLaws("seen ids", seen, mergeSeen);

test("shards are read back as they were written", async () => {
  await fc.assert(
    fc.asyncProperty(contacts, settings, async (one, other) => {
      expect(await openContacts(await sealShard(one, keys), opening)).toEqual(one);
      expect(await openSettings(await sealShard(other, keys), opening)).toEqual(other);
    }),
    { numRuns: 10 },
  );
  const ids: Seen = { shard: "seen-2027-01-2", rev: 3, ids: new Map([[newId("msg"), b64(randomBytes(8))]]) };
  expect(await openSeen(await sealShard(ids, keys), "seen-2027-01-2", opening)).toEqual(ids);
});

test("a shard that is old, of another name or signed by another key is refused", async () => {
  const sealed = await sealShard(nextRev(noContacts()), keys);
  await expect(openContacts(sealed, { ...opening, highestRev: 2 })).rejects.toEqual(refused("shard-rolled-back"));
  await expect(openSettings(sealed, opening)).rejects.toEqual(refused("shard-swapped"));
  await expect(openContacts(sealed, { ...opening, signers: eve.me.keys })).rejects.toEqual(refused("shard-forged"));
  await expect(openContacts(sealed, { ...opening, states: [eve.keyring.state] })).rejects.toEqual(
    refused("shard-damaged"),
  );
});

test("a full month goes on in the next shard, and 4,000 ids fit one", async () => {
  const ids = new Map(Array.from({ length: SEEN_IDS + 10 }, () => [newId("msg"), b64(randomBytes(8))]));
  const [stays, goesOn] = splitSeen({ ...noneSeen("seen-2027-01"), ids });
  expect([stays.ids.size, goesOn.ids.size, goesOn.shard]).toEqual([SEEN_IDS, 10, "seen-2027-01-2"]);
  expect((await openSeen(await sealShard(stays, keys), "seen-2027-01", opening)).ids.size).toBe(SEEN_IDS);
});

test("a verified mark ends with the key it was given for", () => {
  const verified = { pin: ann.pin, verified: { sign: ann.pin.sign, at: NOW } };
  expect(isVerified(verified)).toBe(true);
  expect(isVerified(joinContacts(verified, { pin: { ...eve.pin, era: 1 } }))).toBe(false);
});
