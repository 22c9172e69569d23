// `keyring.age`: an account's secrets, sealed to all its ways in (docs/protocol/keyring-and-state.md).

import { b64, equalBytes, isB64, unb64 } from "../protocol/encoding";
import { ProtocolError } from "../protocol/errors";
import { newId } from "../protocol/ids";
import { KEYRING_BYTES, NAME_CHARS, RECORD_VALID_MS } from "../protocol/limits";
import { integer, list, optional, struct, text, truth, word, type Shaped } from "../protocol/shape";
import { buildRecord, latest, type AccountRecord } from "./account";
import {
  AgeError,
  checkHybridIdentity,
  checkX25519Identity,
  checkX25519Recipient,
  newHybridIdentity,
  newX25519Identity,
  recipientOf,
  seal,
  unseal,
  type Identity,
} from "./age";
import { readContainer, readPayload, requireSigner, writePadded, type Container } from "./container";
import { newSigningKey, signingKey, type SigningKey } from "./signing";
import { formerKeys, isSuccession } from "./successions";

const encShape = struct({ id: text(), identity: text(), from: integer(), until: integer(), retired: truth });
const methodShape = struct({
  mid: text(),
  type: word("passphrase", "recovery", "passkey"),
  label: text(NAME_CHARS),
  recipient: text(),
  created: integer(),
});
const deviceShape = struct({ did: text(), label: text(NAME_CHARS), recipient: text(), created: integer() });
const successionsShape = struct({ successions: optional(list(text())) });
export const keyringShape = struct({
  rev: integer(1),
  acct: text(),
  sign: text(),
  enc: list(encShape, { least: 1 }),
  state: text(),
  unlock: list(methodShape),
  devices: list(deviceShape),
  successions: optional(list(text())),
  former_states: optional(list(text())),
});

/** A private encryption key and the time in which senders use it; a retired one only opens what waits. */
export type EncryptionIdentity = Shaped<typeof encShape>;
/** An unlock method; `recipient` is the public half of its derived identity. */
export type Method = Shaped<typeof methodShape>;
/** A device with an identity of its own: a trusted browser, a paired command line. */
export type Device = Shaped<typeof deviceShape>;
/**
 * The payload; `sign` is the base64url seed, `state` an `AGE-SECRET-KEY-1…`, `successions` the base64url containers by
 * which earlier signing keys led to this one, `former_states` earlier state keys, as long as a shard may be sealed to one.
 * Never leaves the worker in clear.
 */
export type Keyring = Shaped<typeof keyringShape>;

/** Generates signing key, encryption identity and state key; add ways in before sealing it. */
export function newKeyring(acct: string, nowMs: number): Keyring {
  return {
    rev: 1,
    acct,
    sign: b64(newSigningKey().seed),
    enc: [newEncryptionIdentity(nowMs)],
    state: newX25519Identity(),
    unlock: [],
    devices: [],
  };
}

/** Generates a post-quantum identity that senders use from now for at most 400 days. */
export function newEncryptionIdentity(nowMs: number): EncryptionIdentity {
  return {
    id: newId("enc"),
    identity: newHybridIdentity(),
    from: nowMs,
    until: nowMs + RECORD_VALID_MS,
    retired: false,
  };
}

/** Describes an unlock method for the keyring. */
export async function newMethod(
  type: Method["type"],
  identity: string,
  { mid, label, nowMs }: { mid: string; label: string; nowMs: number },
): Promise<Method> {
  return { mid, type, label, recipient: await recipientOf(identity), created: nowMs };
}

/** Describes a device for the keyring. */
export async function newDevice(did: string, identity: Identity, label: string, nowMs: number): Promise<Device> {
  return { did, label, recipient: await recipientOf(identity), created: nowMs };
}

export function signingKeyOf(keyring: Keyring): SigningKey {
  return signingKey(unb64(keyring.sign, 32));
}

/** Returns the account's own signing public keys, the current one first: what an earlier one signed is still ours. */
export function ownKeysOf(keyring: Keyring): Uint8Array[] {
  const { public: current } = signingKeyOf(keyring);
  return [current, ...(formerKeys(keyring.successions ?? [], keyring.acct, current) ?? []).reverse()];
}

/** Returns the succession that leads from `old` to the present signing key, if that is one step. */
export function successionFrom(keyring: Keyring, old: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const last = keyring.successions?.at(-1);
  const isStep = last !== undefined && isSuccession(last, keyring.acct, old, signingKeyOf(keyring).public);
  return isStep ? unb64(last) : undefined;
}

/** Returns everything that opens envelopes, the newest first. */
export function identitiesOf(keyring: Keyring): string[] {
  return [...keyring.enc].sort((one, other) => other.from - one.from).map((entry) => entry.identity);
}

/** Returns where the sender's own copies are sealed to: the current encryption identity. */
export async function ownRecipient(keyring: Keyring, nowMs: number): Promise<string> {
  const valid = (entry: EncryptionIdentity) => entry.from <= nowMs && nowMs < entry.until && !entry.retired;
  return recipientOf(latest(keyring.enc, valid).identity);
}

/** Signs the account record that publishes this keyring's keys. */
export async function recordOf(
  keyring: Keyring,
  options: { nowMs: number; previous?: AccountRecord; succession?: Uint8Array },
): Promise<Uint8Array<ArrayBuffer>> {
  const current = keyring.enc.filter((entry) => !entry.retired);
  const enc = await Promise.all(
    current.map(async ({ id, identity, from, until }) => ({ id, recipient: await recipientOf(identity), from, until })),
  );
  return buildRecord(signingKeyOf(keyring), keyring.acct, enc, options);
}

/** Signs and seals to every unlock method and device in it. @throws ProtocolError keyring-too-large */
export async function sealKeyring(keyring: Keyring): Promise<Uint8Array<ArrayBuffer>> {
  const recipients = [...keyring.unlock, ...keyring.devices].map((entry) => entry.recipient);
  const sealed = await seal(writePadded("keyring", inOrder(keyring), signingKeyOf(keyring)), recipients);
  if (sealed.length > KEYRING_BYTES) throw new ProtocolError("keyring-too-large");
  return sealed;
}

/**
 * Opens with an unlock method's or a device's identity.
 *
 * `known` is the signing key that this device remembers, or one before it; without one, compare it with the account record.
 * @throws ProtocolError
 */
export async function openKeyring(
  sealed: Uint8Array,
  identity: Identity,
  expected: { acct: string; known?: Uint8Array | undefined },
): Promise<Keyring> {
  if (sealed.length > KEYRING_BYTES) throw new ProtocolError("keyring-too-large");
  const box = readContainer(await unsealed(sealed, identity), "keyring", KEYRING_BYTES);
  const signer = requireSigner(box);
  if (expected.known && !follows(box, signer, expected.acct, expected.known)) throw new ProtocolError("keyring-forged");
  const keyring = readPayload(box, keyringShape, "keyring-malformed");
  checkKeys(keyring);
  if (!equalBytes(signingKeyOf(keyring).public, signer) || keyring.acct !== expected.acct) {
    throw new ProtocolError("keyring-forged");
  }
  if (formerKeys(keyring.successions ?? [], keyring.acct, signer) === null) {
    throw new ProtocolError("keyring-malformed", "successions");
  }
  return keyring;
}

/** Compares with the highest rev that this device has seen. @throws ProtocolError keyring-rolled-back, a warning */
export function checkNotRolledBack(keyring: Keyring, highestRev: number): void {
  if (keyring.rev < highestRev) throw new ProtocolError("keyring-rolled-back");
}

/** The keys in the order of the protocol's tables. */
export function inOrder({
  rev,
  acct,
  sign,
  enc,
  state,
  former_states,
  unlock,
  devices,
  successions,
}: Keyring): Keyring {
  const former = former_states?.length ? { former_states } : {};
  return { rev, acct, sign, enc, state, ...former, unlock, devices, ...(successions && { successions }) };
}

/** Returns the keys that may open a shard, the present one first. */
export function statesOf({ state, former_states = [] }: Keyring): readonly string[] {
  return [state, ...former_states];
}

/** Tells whether the signer is the key that is known here, or one that successions lead to from it. */
function follows(box: Container, signer: Uint8Array, acct: string, known: Uint8Array): boolean {
  if (equalBytes(signer, known)) return true;
  try {
    const { successions = [] } = readPayload(box, successionsShape);
    return (formerKeys(successions, acct, signer) ?? []).some((key) => equalBytes(key, known));
  } catch {
    return false;
  }
}

async function unsealed(sealed: Uint8Array, identity: Identity): Promise<Uint8Array> {
  try {
    return await unseal(sealed, [identity]);
  } catch (error) {
    if (!(error instanceof AgeError)) throw error;
    throw new ProtocolError(error.fault === "no-match" ? "keyring-no-match" : "keyring-damaged", error.message);
  }
}

function checkKeys(keyring: Keyring): void {
  try {
    if (!isB64(keyring.sign, 32)) throw new RangeError("sign");
    statesOf(keyring).forEach(checkX25519Identity);
    for (const entry of keyring.enc) checkHybridIdentity(entry.identity);
    for (const entry of [...keyring.unlock, ...keyring.devices]) checkX25519Recipient(entry.recipient);
  } catch {
    throw new ProtocolError("keyring-malformed", "a key");
  }
}
