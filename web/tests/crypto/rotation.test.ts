// New keys: what a rotation changes, who follows it, and who is left outside.

import { expect, test } from "vitest";
import { checkHistory } from "../../src/crypto/account";
import { compareSafetyCodes, writeSafetyCode } from "../../src/crypto/safety-code";
import { Session } from "../../src/crypto/session";
import { fp } from "../../src/crypto/signing";
import { b64, unb64 } from "../../src/protocol/encoding";
import { newId, randomBytes } from "../../src/protocol/ids";
import { DAY, NOW } from "./people";

const refused = (code: string): unknown => expect.objectContaining({ code });

async function signedUp(name: string) {
  const session = new Session();
  const made = await session.makeAccount({
    acct: `${name}@post.example`,
    passphrase: "detonator reckless unaligned",
    nowMs: NOW,
  });
  return { session, made, acct: made.account.acct, history: [unb64(made.record)] };
}

/** Publishes what is due, as a page does. */
async function published({ session, history }: { session: Session; history: Uint8Array[] }): Promise<boolean> {
  const record = await session.renewRecord(history, NOW + DAY);
  if (record !== null) history.push(record);
  return record !== null;
}

async function changed(session: Session, kind: "rotate" | "rotate-signing"): Promise<Uint8Array<ArrayBuffer>> {
  const { sealed } = await session.changeKeyring({ kind, nowMs: NOW + DAY });
  await session.keyringStored();
  return sealed;
}

test("a new signing key is published with the old one's word, and contacts follow it", async () => {
  const [ann, bob] = [await signedUp("ann"), await signedUp("bob")];
  ann.session.meet(bob.acct, bob.history, null, NOW);
  const { sign } = ann.session.safetyNumber(bob.acct);
  ann.session.noteContact(bob.acct, { verified: { sign, at: NOW } });
  expect(ann.session.meet(bob.acct, bob.history, null, NOW)).toMatchObject({ isVerified: true, hasNewKey: false });
  await changed(bob.session, "rotate-signing");
  expect(bob.session.publishedKey(bob.history)).not.toBe(bob.session.account().sign);
  expect(await published(bob)).toBe(true);
  expect(await published(bob)).toBe(false);
  expect(bob.session.publishedKey(bob.history)).toBe(bob.session.account().sign);
  const met = ann.session.meet(bob.acct, bob.history, null, NOW);
  expect(met).toMatchObject({ isVerified: false, hasNewKey: true, fp: bob.session.account().fp });
  expect(ann.session.contacts().get(bob.acct)?.pin?.former).toEqual([bob.made.account.sign]);
});

test("a key that was changed twice unpublished cannot be followed: one step at a time", async () => {
  const bob = await signedUp("bob");
  await changed(bob.session, "rotate-signing");
  await changed(bob.session, "rotate-signing");
  await expect(published(bob)).rejects.toEqual(refused("keyring-forged"));
});

test("a device that knows the old key follows to the new one, and to no other", async () => {
  const bob = await signedUp("bob");
  const identity = bob.session.newDeviceIdentity();
  const change = { kind: "add-device" as const, did: newId("dev"), label: "second", identity, nowMs: NOW };
  await bob.session.changeKeyring(change);
  const sealed = await changed(bob.session, "rotate-signing");
  const second = new Session();
  const opened = await second.openKeyring({ sealed, acct: bob.acct, identity, known: bob.made.account.sign });
  expect([opened.sign, opened.formerKeys]).toEqual([bob.session.account().sign, 1]);
  const stranger = b64(randomBytes(32));
  await expect(second.openKeyring({ sealed, acct: bob.acct, identity, known: stranger })).rejects.toEqual(
    refused("keyring-forged"),
  );
});

test("what an earlier key of one's own signed is still one's own", async () => {
  const bob = await signedUp("bob");
  bob.session.setSetting("beep", false, NOW);
  const { sealed } = await bob.session.giveShard("settings");
  await changed(bob.session, "rotate-signing");
  expect(await bob.session.takeShard("settings", sealed, { server: true, highestRev: 0 })).toBe(1);
  expect(bob.session.settings()).toEqual({ beep: false });
});

test("a new encryption key is published, and the earlier one only opens", async () => {
  const bob = await signedUp("bob");
  await changed(bob.session, "rotate");
  expect(bob.session.account()).toMatchObject({ retired: 1, sealingSince: NOW + DAY, formerKeys: 0 });
  expect(await published(bob)).toBe(true);
  const last = checkHistory(bob.acct, bob.history);
  expect(last.fields.enc.map(({ from }) => from)).toEqual([NOW + DAY]);
});

test("shutting out drops every device but this one, and makes both keys new, in one change", async () => {
  const bob = await signedUp("bob");
  const dids = [newId("dev"), newId("dev")];
  const identities = dids.map(() => bob.session.newDeviceIdentity());
  for (const [at, did] of dids.entries()) {
    const identity = identities[at] ?? "";
    await bob.session.changeKeyring({ kind: "add-device", did, label: `device ${at}`, identity, nowMs: NOW });
  }
  await bob.session.keyringStored();
  const before = bob.session.account();
  const [keep = "", lost = ""] = dids;
  const { sealed } = await bob.session.changeKeyring({ kind: "shut-out", keep, nowMs: NOW + DAY });
  const after = await bob.session.keyringStored();
  expect(after.devices.map(({ did }) => did)).toEqual([keep]);
  expect(after).toMatchObject({ rev: before.rev + 1, retired: 1, formerKeys: 1 });
  expect(after.sign).not.toBe(before.sign);
  const opening = (identity = "") =>
    new Session().openKeyring({ sealed, acct: bob.acct, identity, known: before.sign });
  expect((await opening(identities[0])).rev).toBe(after.rev);
  expect(lost).not.toBe(keep);
  await expect(opening(identities[1])).rejects.toEqual(refused("keyring-no-match"));
  expect(await published(bob)).toBe(true);
});

test("a link's fingerprint is the account's, now or before a succession; another's is refused", async () => {
  const [ann, bob] = [await signedUp("ann"), await signedUp("bob")];
  const named = fp(unb64(bob.made.account.sign));
  ann.session.checkFingerprint(bob.acct, bob.history, named);
  await changed(bob.session, "rotate-signing");
  await published(bob);
  ann.session.checkFingerprint(bob.acct, bob.history, named);
  ann.session.checkFingerprint(bob.acct, bob.history, bob.session.account().fp);
  expect(() => ann.session.checkFingerprint(bob.acct, bob.history, ann.made.account.fp)).toThrow(
    "fingerprint-mismatch",
  );
  expect(ann.session.contacts().has(bob.acct)).toBe(false);
});

test("a scanned code is the same number, another one, or none at all", () => {
  const [own, other] = [writeSafetyCode(randomBytes(60)), writeSafetyCode(randomBytes(60))];
  expect(own).toMatch(/^restante\/1 safety [\w-]{80}$/);
  expect([own, other, "https://post.example/add/ann"].map((text) => compareSafetyCodes(own, text))).toEqual([
    "same",
    "different",
    "other-code",
  ]);
});

test("both sides compute the same number, and its code", async () => {
  const [ann, bob] = [await signedUp("ann"), await signedUp("bob")];
  ann.session.meet(bob.acct, bob.history, null, NOW);
  bob.session.meet(ann.acct, ann.history, null, NOW);
  const [mine, theirs] = [ann.session.safetyNumber(bob.acct), bob.session.safetyNumber(ann.acct)];
  expect(mine.groups).toEqual(theirs.groups);
  expect(mine.code).toBe(theirs.code);
  expect([mine.sign, theirs.sign]).toEqual([bob.made.account.sign, ann.made.account.sign]);
});
