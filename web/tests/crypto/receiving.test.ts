// What a server, a co-recipient or a stranger may do to a message, and that the receiver notices.

import { describe as group, expect, test } from "vitest";
import { recipientOf, seal, unseal } from "../../src/crypto/age";
import { writePadded, type ContainerKind } from "../../src/crypto/container";
import { openDetails, sealDetails } from "../../src/crypto/details";
import { sealForAccount, sealForLink, sealOwnCopy } from "../../src/crypto/envelopes";
import { ownRecipient } from "../../src/crypto/keyring";
import { firstContact, firstUse } from "../../src/crypto/pins";
import { openLinkEnvelope, openOwnCopy } from "../../src/crypto/receiving";
import { linkAccess } from "../../src/crypto/unlock";
import { openVideo } from "../../src/crypto/video";
import { equalBytes, utf8 } from "../../src/protocol/encoding";
import { ProtocolError } from "../../src/protocol/errors";
import { ENVELOPE_BYTES } from "../../src/protocol/limits";
import { DAY, describe, NOW, person, pinnedTo, receive, sealedVideo, sent } from "./people";

const [ann, bob, eve, message] = await Promise.all([person("ann"), person("bob"), person("eve"), sent()]);
const toBob = await sealForAccount(message.message, ann.sender, bob.record);
const bobsKey = await recipientOf(bob.identities[0] ?? "");

function refused(code: string) {
  return expect.objectContaining({ code });
}

function sourceOf(data: Uint8Array, size = data.length) {
  return { size, read: async (offset: number, length: number) => data.slice(offset, offset + length) };
}

test("a message arrives whole", async () => {
  const opened = await receive(toBob, bob, { pinned: pinnedTo(ann) });
  expect([opened.trust, opened.fields.from?.acct]).toEqual(["pinned", "ann@post.example"]);
  const details = await openDetails(message.details, opened.fields.key, {
    sha256: opened.fields.details,
    kind: opened.kind,
  });
  const video = await openVideo(opened.fields.key, sourceOf(message.video), details.video?.sha256 ?? []);
  expect(equalBytes(await video.read(0, message.mp4.length), message.mp4)).toBe(true);
});

test("envelopes stay small, with fifty recipients in the own copy", async () => {
  const names = Array.from({ length: 50 }, (_, at) => `${"n".repeat(20)}${at}@${"server".repeat(8)}.example`);
  const own = await sealOwnCopy(message.message, ann.sender, await ownRecipient(ann.keyring, NOW), names);
  expect(own.length).toBeLessThanOrEqual(ENVELOPE_BYTES);
  expect(toBob.length).toBeLessThan(6500);
  const copy = await openOwnCopy(own, { identities: ann.identities, me: ann.me, nowMs: NOW });
  expect([copy.trust, copy.fields.sent_to]).toEqual(["own", names]);
  await expect(receive(own, ann)).rejects.toEqual(refused("wrong-box"));
  await expect(openOwnCopy(toBob, { identities: bob.identities, me: bob.me, nowMs: NOW })).rejects.toEqual(
    refused("wrong-signer"),
  );
});

test("a guest opens by the link's secret alone", async () => {
  const { identity } = linkAccess(new Uint8Array(32).fill(7));
  const sealed = await sealForLink(message.message, ann.sender, await recipientOf(identity));
  const opened = await openLinkEnvelope(sealed, { identity, nowMs: NOW });
  const details = await openDetails(message.details, opened.fields.key, {
    sha256: opened.fields.details,
    kind: opened.kind,
  });
  expect([opened.trust, details.caption]).toEqual(["first", "hello"]);
});

test("a caller without an account is always shown as unsigned", async () => {
  const sealed = await sealForAccount(message.message, { name: "Ann" }, bob.record);
  const opened = await receive(sealed, bob, { pinned: pinnedTo(ann) });
  expect([opened.trust, opened.fields.from]).toEqual(["unsigned", { name: "Ann" }]);
});

test("a video swapped by a co-recipient opens without the hashes and is refused with them", async () => {
  const forged = await sealedVideo(message.key, utf8("not what the sender said ".repeat(9000)));
  const lax = await openVideo(message.key, sourceOf(forged.video), forged.parts);
  expect(new TextDecoder().decode(await lax.read(0, 8))).toBe("not what");
  const swapped = sourceOf(
    new Uint8Array([...forged.video, ...new Uint8Array(message.video.length)]),
    message.video.length,
  );
  await expect(openVideo(message.key, swapped, message.parts)).rejects.toEqual(refused("video-part-swapped"));
});

test("details swapped by a co-recipient open without the hash and are refused with it", async () => {
  const forged = await sealDetails(describe(message, "send money"), message.key);
  expect(new TextDecoder().decode(await unseal(forged, [message.key]))).toContain("send money");
  const signed = { sha256: message.message.details, kind: "video" } as const;
  await expect(openDetails(forged, message.key, signed)).rejects.toEqual(refused("details-swapped"));
});

test("an envelope that was passed on is refused", async () => {
  const toEve = await sealForAccount(message.message, ann.sender, eve.record);
  const passedOn = await seal(await unseal(toEve, eve.identities), [bobsKey]);
  await expect(receive(passedOn, bob, { pinned: pinnedTo(ann) })).rejects.toEqual(refused("wrong-recipient"));
});

test("the same envelope again is harmless, the same id with other bytes is refused", async () => {
  const first = await receive(toBob, bob);
  const seen = (id: string, shard: string) =>
    id === first.fields.id && shard === first.seenShard ? first.digest : undefined;
  expect((await receive(toBob, bob, { seen })).digest).toBe(first.digest);
  const other = await sealForAccount({ ...message.message, expiresMs: NOW + 1 }, ann.sender, bob.record);
  await expect(receive(other, bob, { seen })).rejects.toEqual(refused("message-id-reused"));
});

test("old messages are taken and future ones are not", async () => {
  await receive(toBob, bob, { nowMs: NOW + 400 * DAY });
  await receive(toBob, bob, { nowMs: NOW - DAY });
  await expect(receive(toBob, bob, { nowMs: NOW - DAY - 1 })).rejects.toEqual(refused("from-the-future"));
});

group("nobody writes in another's name", () => {
  const asAnn = { ...ann.sender, key: eve.sender.key };

  test("not a contact's", async () => {
    const forged = await sealForAccount(message.message, asAnn, bob.record);
    await expect(receive(forged, bob, { pinned: pinnedTo(ann) })).rejects.toEqual(refused("wrong-signer"));
  });

  test("not a stranger's, once the stranger's records are there", async () => {
    const opened = await receive(await sealForAccount(message.message, asAnn, bob.record), bob);
    expect(opened.trust).toBe("first");
    const signer = opened.signer ?? new Uint8Array(0);
    expect(() => firstUse(ann.record, signer)).toThrow("wrong-signer");
    expect(() => firstContact(ann.record.acct, [ann.record.raw], signer)).toThrow("wrong-signer");
    const honest = await receive(toBob, bob);
    expect(firstContact(ann.record.acct, [ann.record.raw], honest.signer ?? undefined)).toEqual(ann.pin);
  });

  test("not mine", async () => {
    const asBob = { ...bob.sender, key: eve.sender.key };
    const forged = await sealForAccount(message.message, asBob, bob.record);
    await expect(receive(forged, bob)).rejects.toEqual(refused("wrong-signer"));
  });

  test("not without a signature", async () => {
    const { fields } = await receive(toBob, bob);
    const plaintext = writePadded("envelope", fields, null);
    await expect(receive(await seal(plaintext, [bobsKey]), bob)).rejects.toEqual(refused("sender-not-signed"));
    const nameless = writePadded("envelope", { ...fields, from: null }, ann.sender.key);
    await expect(receive(await seal(nameless, [bobsKey]), bob)).rejects.toEqual(refused("signer-unnamed"));
  });
});

test.each<ContainerKind>(["account", "keyring", "state", "succession", "alias", "receipt", "profile"])(
  "a container %s is no envelope",
  async (kind) => {
    const plaintext = writePadded(kind, ann.keyring, ann.sender.key);
    await expect(receive(await seal(plaintext, [bobsKey]), bob)).rejects.toEqual(refused("container-type"));
  },
);

test("an unknown kind and an unknown TYPE ask for a newer version", async () => {
  const { fields } = await receive(toBob, bob);
  const waltz = writePadded("envelope", { ...fields, kind: "waltz" }, ann.sender.key);
  await expect(receive(await seal(waltz, [bobsKey]), bob)).rejects.toEqual(refused("needs-newer-version"));
  const later = utf8("restante/2 envelope\n-\n-\n{}");
  await expect(receive(await seal(later, [bobsKey]), bob)).rejects.toEqual(refused("needs-newer-version"));
});

test("a file to several recipients is no envelope", async () => {
  const evesKey = await recipientOf(eve.identities[0] ?? "");
  const both = await seal(await unseal(toBob, bob.identities), [bobsKey, evesKey]);
  await expect(receive(both, bob)).rejects.toEqual(refused("envelope-damaged"));
});

group("of a small envelope", async () => {
  const { identity } = linkAccess(new Uint8Array(32).fill(9));
  const small = await sealForLink(message.message, ann.sender, await recipientOf(identity));
  const codeOf = async (data: Uint8Array): Promise<string> => {
    try {
      await openLinkEnvelope(data, { identity, nowMs: NOW });
    } catch (error) {
      if (error instanceof ProtocolError) return error.code;
      throw error;
    }
    return "opened";
  };

  // The same script everywhere: all of the header, and behind it every byte or every seventh.
  const STEP = "window" in globalThis || process.env["EVERYWHERE"] !== "1" ? 7 : 1;

  test("no flipped bit goes unnoticed", { timeout: 300_000 }, async () => {
    expect(await codeOf(small)).toBe("opened");
    const codes = new Set<string>();
    for (let at = 0; at < small.length; at += at < 240 ? 1 : STEP) {
      const damaged = small.slice();
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      codes.add(await codeOf(damaged));
    }
    expect([...codes].sort()).toEqual(["envelope-damaged", "envelope-no-match"]);
  });

  test("no cut of the header, nor every ninth behind it, goes unnoticed", { timeout: 300_000 }, async () => {
    const codes = new Set<string>();
    for (let size = 0; size < small.length; size += size < 240 ? 1 : 9)
      codes.add(await codeOf(small.subarray(0, size)));
    expect([...codes]).toEqual(["envelope-damaged"]);
  });
});

test(
  "no flipped bit inside the signed container goes unnoticed by one who knows the sender",
  { timeout: 300_000 },
  async () => {
    const { identity } = linkAccess(new Uint8Array(32).fill(5));
    const recipient = await recipientOf(identity);
    const container = await unseal(await sealForLink(message.message, ann.sender, recipient), [identity]);
    for (let at = 0; at < 900; at += 7) {
      const altered = container.slice();
      altered[at] = (altered[at] ?? 0) ^ (1 << (at % 8));
      const opening = openLinkEnvelope(await seal(altered, [recipient]), {
        identity,
        pinned: pinnedTo(ann),
        nowMs: NOW,
      });
      await expect(opening).rejects.toBeInstanceOf(ProtocolError);
    }
  },
);
