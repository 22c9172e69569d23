// Changes of a keyring, and their merge when two devices change it at once (PUT answered 412).
//
// Each change is a new keyring with the next `rev`; nothing is changed in place.

import { b64, compareBytes } from "../protocol/encoding";
import { ProtocolError } from "../protocol/errors";
import { write } from "../protocol/ijson";
import { signingKeyOf, type Device, type EncryptionIdentity, type Keyring, type Method } from "./keyring";
import type { SigningKey } from "./signing";
import { buildSuccession } from "./successions";

/** Adds an unlock method, in place of one with the same `mid`. */
export function withMethod(keyring: Keyring, method: Method): Keyring {
  return { ...withoutMethod(keyring, method.mid), unlock: [...without(keyring.unlock, "mid", method.mid), method] };
}

/** Adds an unlock method in place of all others of its type. */
export function withOnly(keyring: Keyring, method: Method): Keyring {
  return { ...keyring, rev: keyring.rev + 1, unlock: [...without(keyring.unlock, "type", method.type), method] };
}

/** Gives an unlock method another name. */
export function relabelled(keyring: Keyring, mid: string, label: string): Keyring {
  const unlock = keyring.unlock.map((method) => (method.mid === mid ? { ...method, label } : method));
  return { ...keyring, rev: keyring.rev + 1, unlock };
}

/** The same under the next rev. */
export function resealed(keyring: Keyring): Keyring {
  return { ...keyring, rev: keyring.rev + 1 };
}

export function withoutMethod(keyring: Keyring, mid: string): Keyring {
  return { ...keyring, rev: keyring.rev + 1, unlock: without(keyring.unlock, "mid", mid) };
}

/** Adds a device, in place of one with the same `did`. */
export function withDevice(keyring: Keyring, device: Device): Keyring {
  return { ...withoutDevice(keyring, device.did), devices: [...without(keyring.devices, "did", device.did), device] };
}

/** Drops a device: it can open no later keyring. */
export function withoutDevice(keyring: Keyring, did: string): Keyring {
  return { ...keyring, rev: keyring.rev + 1, devices: without(keyring.devices, "did", did) };
}

/** Rotates: the new identity is published, the earlier ones only open what was sealed to them. */
export function withEncryptionIdentity(keyring: Keyring, identity: EncryptionIdentity): Keyring {
  const retired = without(keyring.enc, "id", identity.id).map((entry) => ({ ...entry, retired: true }));
  return { ...keyring, rev: keyring.rev + 1, enc: [...retired, identity] };
}

/** Rotates the signing key: the old one says which follows it, and is forgotten. */
export function withSigningKey(keyring: Keyring, next: SigningKey, nowMs: number): Keyring {
  const succession = buildSuccession(signingKeyOf(keyring), keyring.acct, next.public, nowMs);
  const successions = [...(keyring.successions ?? []), b64(succession)];
  return { ...keyring, rev: keyring.rev + 1, sign: b64(next.seed), successions };
}

/** Rotates the state key: the old one opens shards until each is sealed to the new one. */
export function withStateKey(keyring: Keyring, state: string): Keyring {
  return { ...keyring, rev: keyring.rev + 1, state, former_states: [...(keyring.former_states ?? []), keyring.state] };
}

/** Forgets earlier state keys to which no shard is sealed any more. */
export function withoutFormerStates(keyring: Keyring, isDone: (state: string) => boolean): Keyring {
  const former = (keyring.former_states ?? []).filter((state) => !isDone(state));
  return { ...keyring, rev: keyring.rev + 1, former_states: former };
}

/**
 * Merges two changes of `base` and takes the next rev. What one side added or dropped stays so; a drop wins over a
 * change. @throws ProtocolError keyring-conflict, when both changed the signing key or the state key, and differently
 */
export function mergeKeyrings(base: Keyring, mine: Keyring, theirs: Keyring): Keyring {
  const { successions } = mine.sign === base.sign ? theirs : mine;
  const former = mergeNames([base, mine, theirs].map(({ former_states = [] }) => former_states));
  return {
    rev: Math.max(mine.rev, theirs.rev) + 1,
    acct: base.acct,
    sign: mergeSecret(base.sign, mine.sign, theirs.sign),
    enc: mergeEntries([base.enc, mine.enc, theirs.enc], (entry) => entry.id, joinIdentities),
    state: mergeSecret(base.state, mine.state, theirs.state),
    unlock: mergeEntries([base.unlock, mine.unlock, theirs.unlock], (entry) => entry.mid, larger),
    devices: mergeEntries([base.devices, mine.devices, theirs.devices], (entry) => entry.did, larger),
    ...(successions && { successions }),
    ...(former.length > 0 && { former_states: former }),
  };
}

/** What either side added, and of what was there what neither dropped. */
function mergeNames([base = [], mine = [], theirs = []]: readonly (readonly string[])[]): readonly string[] {
  const all = [...new Set([...mine, ...theirs])].sort();
  return all.filter((name) => (base.includes(name) ? mine.includes(name) && theirs.includes(name) : true));
}

/** Of two values, the one whose compact JSON is larger in bytes. */
export function larger<T>(one: T, other: T): T {
  return compareBytes(write(one), write(other)) < 0 ? other : one;
}

function without<T, K extends keyof T>(entries: readonly T[], key: K, value: T[K]): readonly T[] {
  return entries.filter((entry) => entry[key] !== value);
}

function mergeSecret(base: string, mine: string, theirs: string): string {
  if (base !== mine && base !== theirs && mine !== theirs) throw new ProtocolError("keyring-conflict");
  return mine === base ? theirs : mine;
}

function mergeEntries<T>(
  [base, mine, theirs]: readonly [readonly T[], readonly T[], readonly T[]],
  key: (entry: T) => string,
  join: (mine: T, theirs: T) => T,
): readonly T[] {
  const sides = [base, mine, theirs].map((side) => new Map(side.map((entry) => [key(entry), entry] as const)));
  const names = [...new Set(sides.flatMap((side) => [...side.keys()]))].sort();
  return names.flatMap((name) => {
    const [was, ours, others] = sides.map((side) => side.get(name));
    return mergeEntry(was, ours, others, join) ?? [];
  });
}

function mergeEntry<T>(base: T | undefined, mine: T | undefined, theirs: T | undefined, join: (a: T, b: T) => T) {
  if (isSame(mine, base)) return theirs;
  if (isSame(theirs, base) || isSame(theirs, mine)) return mine;
  return mine !== undefined && theirs !== undefined ? join(mine, theirs) : undefined;
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Keeps the narrower use; the secret of one id never changes, so a difference there is a conflict. */
function joinIdentities(mine: EncryptionIdentity, theirs: EncryptionIdentity): EncryptionIdentity {
  if (mine.identity !== theirs.identity) throw new ProtocolError("keyring-conflict");
  return {
    ...mine,
    from: Math.max(mine.from, theirs.from),
    until: Math.min(mine.until, theirs.until),
    retired: mine.retired || theirs.retired,
  };
}
