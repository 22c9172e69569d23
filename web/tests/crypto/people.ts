// Accounts with real keys, and a message that one of them sends: what the tests of this folder share.

import { readRecord, type AccountRecord } from "../../src/crypto/account";
import { detailsSha256, sealDetails, type Details } from "../../src/crypto/details";
import { describeVideo } from "../../src/crypto/parts";
import type { Message, Sender } from "../../src/crypto/envelopes";
import { identitiesOf, newKeyring, newMethod, recordOf, signingKeyOf, type Keyring } from "../../src/crypto/keyring";
import { withMethod } from "../../src/crypto/keyring-changes";
import { firstUse, type Pin } from "../../src/crypto/pins";
import { openEnvelope, type Me, type Seen } from "../../src/crypto/receiving";
import { unlockAccess, type Access } from "../../src/crypto/unlock";
import { newMessageKey, PartHasher, sealVideo } from "../../src/crypto/video";
import { concat } from "../../src/protocol/encoding";
import { newId, randomBytes } from "../../src/protocol/ids";

export const NOW = 1_800_000_000_000;
export const DAY = 86_400_000;

export interface Person {
  keyring: Keyring;
  access: Access;
  record: AccountRecord;
  identities: string[];
  me: Me;
  sender: Sender;
  pin: Pin;
}

export async function person(name: string): Promise<Person> {
  const access = unlockAccess(randomBytes(20));
  const acct = `${name}@post.example`;
  const keyring = withMethod(
    newKeyring(acct, NOW),
    await newMethod("recovery", access.identity, { mid: newId("mth"), label: "code", nowMs: NOW }),
  );
  const key = signingKeyOf(keyring);
  const record = readRecord(await recordOf(keyring, { nowMs: NOW }));
  const me = { acct, keys: [key.public] };
  const sender = { acct, name: "a name", key };
  return { keyring, access, record, identities: identitiesOf(keyring), me, sender, pin: firstUse(record) };
}

/** Pins of these people. */
export function pinnedTo(...people: Person[]) {
  return (acct: string) => people.find((one) => one.record.acct === acct)?.pin;
}

export async function sealedVideo(key: string, mp4: Uint8Array) {
  const pieces: Uint8Array[] = [];
  const reader = new Blob([mp4 as Uint8Array<ArrayBuffer>]).stream().pipeThrough(sealVideo(key)).getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) pieces.push(next.value);
  const video = concat(...pieces);
  const hasher = new PartHasher();
  await hasher.push(video);
  return { video, parts: await hasher.finish() };
}

export function describe(sealed: { video: Uint8Array; parts: string[] }, caption: string): Details {
  const media = { type: "video/mp4", ms: 1000, w: 640, h: 480 };
  return { video: describeVideo({ size: sealed.video.length, parts: sealed.parts }, media), caption };
}

export interface Sent {
  key: string;
  mp4: Uint8Array;
  video: Uint8Array;
  parts: string[];
  details: Uint8Array;
  message: Message;
}

export async function sent(size = 300_000): Promise<Sent> {
  const key = newMessageKey();
  const mp4 = Uint8Array.from({ length: size }, (_, at) => at >> 3);
  const sealed = await sealedVideo(key, mp4);
  const details = await sealDetails(describe(sealed, "hello"), key);
  const message: Message = {
    id: newId("msg"),
    kind: "video",
    createdMs: NOW,
    key,
    details: detailsSha256(details),
    upload: newId("upl"),
  };
  return { key, mp4, ...sealed, details, message };
}

const nothing = () => undefined;

export function receive(
  sealed: Uint8Array,
  who: Person,
  {
    pinned = nothing,
    seen = nothing,
    nowMs = NOW,
  }: { pinned?: (acct: string) => Pin | undefined; seen?: Seen; nowMs?: number } = {},
) {
  return openEnvelope(sealed, { identities: who.identities, me: who.me, pinned, seen, nowMs });
}
