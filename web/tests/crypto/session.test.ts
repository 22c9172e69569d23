// Two people by the worker's methods alone, over a port: sign-up, sign-in, a message, and what a server may try.

import { describe as group, expect, test } from "vitest";
import { readRecord } from "../../src/crypto/account";
import { connectCrypto, type CryptoService } from "../../src/crypto/service";
import { Caller, serve, type Endpoint } from "../../src/crypto/rpc";
import { WorkerMethods } from "../../src/crypto/worker-methods";
import { b64, equalBytes, unb64 } from "../../src/protocol/encoding";
import { newId } from "../../src/protocol/ids";
import { describe, NOW, sent } from "./people";
import { generateKeyPair } from "./webcrypto";

type Service = Omit<CryptoService, "close">;

function refused(code: string) {
  return expect.objectContaining({ code });
}

/** A service whose worker's methods run here, behind a real port. */
function crypto(): Service {
  const { port1, port2 } = new MessageChannel();
  serve(port2 as Endpoint, new WorkerMethods());
  port2.start();
  port1.start();
  return connectCrypto(port1 as Endpoint).service;
}

async function signedUp(name: string) {
  const service = crypto();
  const made = await service.makeAccount({ acct: `${name}@post.example`, passphrase: null, nowMs: NOW });
  return { service, made, acct: made.account.acct, history: [unb64(made.record)] };
}

/** Opens as a page does: what is unread is asked for, and this server has nothing. */
async function received(service: Service, sealed: Uint8Array) {
  const { unread } = await service.openEnvelope(sealed, NOW);
  for (const name of unread) await service.noShard(name);
  return service.openEnvelope(sealed, NOW);
}

const [ann, bob, message] = await Promise.all([signedUp("ann"), signedUp("bob"), sent()]);

async function toBob(id = message.message.id) {
  await ann.service.meet(bob.acct, bob.history, null, NOW);
  const { key, upload } = message.message;
  const wanted = {
    id,
    kind: "video" as const,
    createdMs: NOW,
    messageKey: key,
    details: describe(message, "hello"),
    name: "Ann",
    upload: upload ?? "",
  };
  return ann.service.composeMessage(wanted, bob.history);
}

test("a new account has a passphrase, a recovery code and two ways in", () => {
  const { made } = ann;
  expect(made.passphrase.split(" ").length).toBe(6);
  expect(made.recoveryCode).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){8}[0-9A-Z*~$=]$/);
  expect(made.unlock.map(({ type, salt }) => [type, salt === null])).toEqual([
    ["passphrase", false],
    ["recovery", true],
  ]);
  expect(made.account.methods.map(({ type }) => type)).toEqual(["passphrase", "recovery"]);
  expect(readRecord(unb64(made.record)).fields.sign).toBe(made.account.sign);
});

test("passphrase and code unlock in another browser, with the bearers of the sign-up", async () => {
  const { made, acct, history } = ann;
  const sealed = unb64(made.keyring);
  const byWords = crypto();
  const [words, code] = made.unlock;
  expect(await byWords.takePassphrase(made.passphrase.toUpperCase().toLowerCase(), words?.salt ?? "")).toBe(
    words?.bearer,
  );
  expect(await byWords.openKeyring({ sealed, acct, history })).toEqual(made.account);
  const byCode = crypto();
  expect(await byCode.takeRecoveryCode(made.recoveryCode.toLowerCase())).toBe(code?.bearer);
  expect((await byCode.openKeyring({ sealed, acct, history, highestRev: 9 })).isRolledBack).toBe(true);
  await byCode.takePassphrase("another passphrase", words?.salt ?? "");
  await expect(byCode.openKeyring({ sealed, acct, history })).rejects.toEqual(refused("keyring-no-match"));
  await expect(byCode.takeRecoveryCode("0000")).rejects.toEqual(refused("recovery-code-malformed"));
});

test("a keyring that the account's records do not name is forged", async () => {
  const service = crypto();
  await service.takeRecoveryCode(ann.made.recoveryCode);
  const sealed = unb64(ann.made.keyring);
  const other = await crypto().makeAccount({ acct: ann.acct, passphrase: null, nowMs: NOW });
  const opening = service.openKeyring({ sealed, acct: ann.acct, history: [unb64(other.record)] });
  await expect(opening).rejects.toEqual(refused("keyring-forged"));
  const remembered = service.openKeyring({ sealed, acct: ann.acct, known: other.account.sign });
  await expect(remembered).rejects.toEqual(refused("keyring-forged"));
});

test("a trusted browser opens the keyring by a key that cannot be exported, until it is dropped", async () => {
  const { service, acct } = await signedUp("kim");
  const identity = await generateKeyPair();
  const did = newId("dev");
  const { sealed } = await service.changeKeyring({ kind: "add-device", did, label: "browser", identity, nowMs: NOW });
  const known = (await service.keyringStored()).sign;
  const later = crypto();
  expect((await later.openKeyring({ sealed, acct, identity, known })).devices).toEqual([
    { did, label: "browser", created: NOW },
  ]);
  const dropped = await service.changeKeyring({ kind: "drop-device", did });
  await expect(later.openKeyring({ sealed: dropped.sealed, acct, identity, known })).rejects.toEqual(
    refused("keyring-no-match"),
  );
});

test("two devices that change the keyring at once keep both changes", async () => {
  const { service: one, made, acct, history } = await signedUp("lee");
  const other = crypto();
  await other.takeRecoveryCode(made.recoveryCode);
  await other.openKeyring({ sealed: unb64(made.keyring), acct, history });
  const add = async (service: Service, label: string) => {
    const identity = await service.newDeviceIdentity();
    return service.changeKeyring({ kind: "add-device", did: newId("dev"), label, identity, nowMs: NOW });
  };
  const first = await add(one, "one");
  await add(other, "other"); // answered 412
  const merged = await other.mergeKeyring(first.sealed);
  expect(merged.rev).toBe(first.rev + 1);
  expect((await other.keyringStored()).devices.map(({ label }) => label).sort()).toEqual(["one", "other"]);
});

test("a keyring kept on the device unlocks without a server", async () => {
  const kept = await ann.service.exportKeyring();
  const service = crypto();
  expect(await service.importKeyring(kept)).toEqual(ann.made.account);
  await service.lock();
  await expect(service.account()).rejects.toEqual(refused("keyring-no-match"));
});

test("a newer keyring of the open account leaves what was learnt, another account's does not", async () => {
  const { service, made, acct } = await signedUp("rio");
  await service.meet(bob.acct, bob.history, null, NOW);
  await service.openKeyring({ sealed: unb64(made.keyring), acct, known: made.account.sign });
  expect([...(await service.contacts()).keys()]).toEqual([bob.acct]);
  await service.importKeyring(await ann.service.exportKeyring());
  expect((await service.contacts()).size).toBe(0);
});

test("a record is renewed after a month and when the keys changed, not before", async () => {
  const { service, history } = await signedUp("mia");
  expect(await service.renewRecord(history, NOW + 1)).toBe(null);
  const renewed = await service.renewRecord(history, NOW + 31 * 86_400_000);
  expect(renewed && readRecord(renewed).rev).toBe(2);
  await service.changeKeyring({ kind: "rotate", nowMs: NOW + 5 });
  const rotated = await service.renewRecord(history, NOW + 5);
  expect(rotated && readRecord(rotated).fields.enc.length).toBe(1);
  await expect(service.renewRecord(ann.history, NOW)).rejects.toEqual(refused("record-other-account"));
});

test("a message goes from one to the other and plays by the worker", async () => {
  const composed = await toBob();
  expect(JSON.parse(composed.message)).toMatchObject({
    kind: "video",
    recipients: ["bob"],
    upload: message.message.upload,
  });
  const opened = await received(bob.service, unb64(composed.envelopes["bob"] ?? ""));
  expect([opened.trust, opened.fields.from]).toEqual(["first", { acct: ann.acct, name: "Ann" }]);
  const met = await bob.service.meet(ann.acct, ann.history, opened.signer, NOW);
  expect([met.isNew, met.isVerified, met.fp]).toEqual([true, false, ann.made.account.fp]);
  const { key } = opened.fields;
  const signed = { sha256: opened.fields.details, kind: opened.kind };
  const details = await bob.service.openDetails(unb64(composed.details), key, signed);
  const read = async (offset: number, length: number) => message.video.slice(offset, offset + length);
  const video = await bob.service.openVideo(key, { size: message.video.length, read }, details.video?.sha256 ?? []);
  expect(equalBytes(await video.read(0, video.plainSize), message.mp4)).toBe(true);
  expect(
    equalBytes(new Uint8Array(await new Response(video.stream(100_001)).arrayBuffer()), message.mp4.subarray(100_001)),
  ).toBe(true);
  video.close();
  const own = await ann.service.openOwnCopy(unb64(composed.sent), NOW);
  expect(own.fields.sent_to).toEqual([bob.acct]);
});

test("errors of the download come back as they were thrown, a damaged part as a refusal", async () => {
  const { key } = message.message;
  const offline = new TypeError("offline");
  let fail = false;
  const read = async (offset: number, length: number) => {
    if (fail) throw offline;
    const part = message.video.slice(offset, offset + length);
    if (offset > 0) part[5] = (part[5] ?? 0) ^ 1;
    return part;
  };
  const video = await bob.service.openVideo(key, { size: message.video.length, read }, message.parts);
  await expect(video.read(299_000, 10)).rejects.toEqual(refused("video-part-swapped"));
  fail = true;
  await expect(video.read(299_000, 10)).rejects.toBe(offline);
  await expect(video.verifyEnd()).rejects.toBe(offline);
});

group("shards", () => {
  test("pins and seen ids reach the account's other devices", async () => {
    const names = await bob.service.pendingShards();
    expect(names.sort()).toEqual(["contacts", "seen-2027-01"]);
    const stored = new Map<string, Uint8Array>();
    for (const name of names) {
      stored.set(name, (await bob.service.giveShard(name)).sealed);
      await bob.service.shardStored(name);
    }
    expect(await bob.service.pendingShards()).toEqual([]);
    const other = crypto();
    await other.importKeyring(await bob.service.exportKeyring());
    const again = await toBob(); // sealed anew, with other details: the same id
    const sealed = unb64(again.envelopes["bob"] ?? "");
    await expect(other.openEnvelope(sealed, NOW)).rejects.toThrow("contacts first");
    await other.takeShard("contacts", stored.get("contacts") ?? new Uint8Array(0), { server: true, highestRev: 0 });
    expect((await other.openEnvelope(sealed, NOW)).unread).toEqual(["seen-2027-01"]);
    for (const [name, sealed] of stored)
      expect(await other.takeShard(name, sealed, { server: true, highestRev: 0 })).toBe(1);
    expect([...(await other.contacts()).keys()]).toEqual([ann.acct]);
    expect(await other.pendingShards()).toEqual([]);
    await expect(other.openEnvelope(sealed, NOW)).rejects.toEqual(refused("message-id-reused"));
    const rolledBack = other.takeShard("contacts", stored.get("contacts") ?? new Uint8Array(0), {
      server: true,
      highestRev: 2,
    });
    await expect(rolledBack).rejects.toEqual(refused("shard-rolled-back"));
  });

  test("an unknown sender's id is remembered when the sender is met, not before", async () => {
    const { service } = await signedUp("ned");
    const nedsRecord = [
      unb64((await service.makeAccount({ acct: "ned@post.example", passphrase: null, nowMs: NOW })).record),
    ];
    const eve = await signedUp("eve");
    await eve.service.meet("ned@post.example", nedsRecord, null, NOW);
    const forger = crypto();
    const asAnn = await forger.makeAccount({ acct: ann.acct, passphrase: null, nowMs: NOW });
    await forger.meet("ned@post.example", nedsRecord, null, NOW);
    const wanted = {
      id: newId("msg"),
      kind: "text" as const,
      createdMs: NOW,
      messageKey: message.key,
      details: { text: "hi" },
    };
    const forged = await forger.composeMessage(wanted, nedsRecord);
    const opened = await received(service, unb64(forged.envelopes["ned"] ?? ""));
    expect([opened.trust, b64(opened.signer ?? new Uint8Array(0))]).toEqual(["first", asAnn.account.sign]);
    await expect(service.meet(ann.acct, ann.history, opened.signer, NOW)).rejects.toEqual(refused("wrong-signer"));
    expect(await service.pendingShards()).toEqual([]);
    await service.meet(ann.acct, ann.history, null, NOW);
    await expect(service.openEnvelope(unb64(forged.envelopes["ned"] ?? ""), NOW)).rejects.toEqual(
      refused("wrong-signer"),
    );
  });

  test("settings are kept by the later choice", async () => {
    const { service } = await signedUp("ola");
    await service.setSetting("beep", true, NOW);
    await service.setSetting("beep", false, NOW - 1);
    expect([await service.settings(), await service.pendingShards()]).toEqual([{ beep: true }, ["settings"]]);
  });
});

group("a changed key", () => {
  test("blocks sending until it is accepted, and takes the verified mark away", async () => {
    const { service } = await signedUp("pat");
    await service.meet(bob.acct, bob.history, null, NOW);
    await service.noteContact(bob.acct, { verified: { sign: bob.made.account.sign, at: NOW } });
    expect((await service.meet(bob.acct, bob.history, null, NOW)).isVerified).toBe(true);
    const impostor = await crypto().makeAccount({ acct: bob.acct, passphrase: null, nowMs: NOW });
    const history = [unb64(impostor.record)];
    await expect(service.meet(bob.acct, history, null, NOW)).rejects.toEqual(refused("safety-number-changed"));
    const wanted = {
      id: newId("msg"),
      kind: "text" as const,
      createdMs: NOW,
      messageKey: message.key,
      details: { text: "hi" },
    };
    await expect(service.composeMessage(wanted, history)).rejects.toEqual(refused("safety-number-changed"));
    const [before, after] = [await service.safetyNumber(bob.acct), await service.safetyNumber(bob.acct, history)];
    expect([before.groups.length, before.groups.join() === after.groups.join()]).toEqual([12, false]);
    await service.acceptKey(bob.acct, history);
    expect((await service.meet(bob.acct, history, null, NOW)).isVerified).toBe(false);
    expect((await service.composeMessage(wanted, history)).message).toContain('"recipients":["bob"]');
  });

  test("an account that was never met gets nothing", async () => {
    const { service } = await signedUp("quy");
    const wanted = {
      id: newId("msg"),
      kind: "text" as const,
      createdMs: NOW,
      messageKey: message.key,
      details: { text: "hi" },
    };
    await expect(service.composeMessage(wanted, bob.history)).rejects.toEqual(refused("wrong-signer"));
  });
});

test("nothing but the worker's methods can be called", async () => {
  const { port1, port2 } = new MessageChannel();
  serve(port2 as Endpoint, new WorkerMethods());
  port2.start();
  port1.start();
  const caller = new Caller(port1 as Endpoint);
  expect(await caller.call("newDeviceIdentity", [])).toMatch(/^AGE-SECRET-KEY-1/);
  for (const method of ["constructor", "toString", "__defineGetter__", "__proto__", "nothing"]) {
    await expect(caller.call(method, [])).rejects.toThrow("no method");
  }
  const waiting = caller.call("newPassphrase", []);
  caller.fail(new Error("the worker has ended"));
  await expect(waiting).rejects.toThrow("the worker has ended");
  await expect(caller.call("newPassphrase", [])).rejects.toThrow("the worker has ended");
});
