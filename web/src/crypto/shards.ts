// State shards: contacts, groups, settings, seen ids and flags, each an age file to the state key with its own merge
// (docs/protocol/keyring-and-state.md, "Shards").
//
// A merge is commutative, associative and idempotent, so that devices agree in whatever order they write: on 412 fetch,
// merge, seal with the next rev, put again.

import { compareBytes, equalBytes, isB64, utf8 } from "../protocol/encoding";
import { ProtocolError } from "../protocol/errors";
import { isId } from "../protocol/ids";
import { KEPT_IDS, SEEN_IDS, SHARD_BYTES } from "../protocol/limits";
import { isAcct } from "../protocol/names";
import { dictionary, integer, optional, struct, text, truth, type Shape, type Shaped } from "../protocol/shape";
import { BadJson } from "../protocol/ijson";
import { AgeError, recipientOf, seal, unseal } from "./age";
import { contactShape, inContactOrder, joinContacts, later } from "./contacts";
import { groupsShape, isRightGroups, joinGroups, type Group, type Groups } from "./groups";
import { readContainer, readPayload, requireSigner, writePadded } from "./container";
import type { SigningKey } from "./signing";

const plainValue: Shape<string | number | boolean | null> = (value, path) => {
  if (value === null || typeof value === "string" || typeof value === "boolean" || typeof value === "number")
    return value;
  throw new BadJson(`${path}: not a plain value`);
};
export const headShape = struct({ shard: text(), rev: integer() });
const settingShape = struct({ value: plainValue, at: integer() });
const contactsShape = struct({ shard: text(), rev: integer(), contacts: dictionary(contactShape) });
const settingsShape = struct({ shard: text(), rev: integer(), settings: dictionary(settingShape) });
const flagShape = struct({ value: truth, at: integer() });
const flagsShape = struct({ kept: optional(flagShape), archived: optional(flagShape) });
const keptShape = struct({ shard: text(), rev: integer(), messages: dictionary(flagsShape, { most: KEPT_IDS }) });
const seenShape = struct({ shard: text(), rev: integer(), ids: dictionary(text(), { most: SEEN_IDS }) });

/** One value and when the person chose it. */
export type Setting = Shaped<typeof settingShape>;
/** The shard `contacts`: what is known of each acct. */
export type Contacts = Shaped<typeof contactsShape>;
/** The shard `settings`: the later choice of each key wins. */
export type Settings = Shaped<typeof settingsShape>;
/** A shard `seen-YYYY-MM`: message ids of that month with the digest of the container they came in. */
export type Seen = Shaped<typeof seenShape>;
/** What the owner does with one message: `kept` stands above the others, `archived` is out of the way. */
export type Flags = Shaped<typeof flagsShape>;
/** A shard `kept-YYYY-MM`: flags of messages of that month, by id. */
export type Kept = Shaped<typeof keptShape>;
export type Shard = Contacts | Groups | Settings | Seen | Kept;

const DIGEST_BYTES = 8;
const KEPT_NAME = /^kept-[0-9]{4}-(0[1-9]|1[0-2])$/;
const SEEN_NAME = /^seen-[0-9]{4}-(0[1-9]|1[0-2])(-[2-9])?$/;

export function noContacts(): Contacts {
  return { shard: "contacts", rev: 0, contacts: new Map() };
}

export function noSettings(): Settings {
  return { shard: "settings", rev: 0, settings: new Map() };
}

/** An empty shard of seen ids, by its name. */
export function noneSeen(shard: string): Seen {
  return { shard, rev: 0, ids: new Map() };
}

/** Joins contact by contact. */
export function mergeContacts(one: Contacts, other: Contacts): Contacts {
  return {
    shard: one.shard,
    rev: Math.max(one.rev, other.rev),
    contacts: joined(one.contacts, other.contacts, joinContacts),
  };
}

/** Joins group by group. */
export function mergeGroups(one: Groups, other: Groups): Groups {
  const groups = joined(one.groups, other.groups, joinGroups);
  return { shard: one.shard, rev: Math.max(one.rev, other.rev), groups };
}

/** Keeps the later value of each key. */
export function mergeSettings(one: Settings, other: Settings): Settings {
  return { shard: one.shard, rev: Math.max(one.rev, other.rev), settings: joined(one.settings, other.settings, later) };
}

/** Keeps the later word of each flag. */
export function joinFlags(one: Flags, other: Flags): Flags {
  const kept = laterOf(one.kept, other.kept);
  const archived = laterOf(one.archived, other.archived);
  return { ...(kept && { kept }), ...(archived && { archived }) };
}

function laterOf(one: Flags["kept"], other: Flags["kept"]): Flags["kept"] {
  return one && other ? later(one, other) : (one ?? other);
}

/** Joins message by message. */
export function mergeKept(one: Kept, other: Kept): Kept {
  const messages = joined(one.messages, other.messages, joinFlags);
  return { shard: one.shard, rev: Math.max(one.rev, other.rev), messages };
}

/** Unites; of two digests for one id, which only an attack makes, the smaller stays. */
export function mergeSeen(one: Seen, other: Seen): Seen {
  const smaller = (mine: string, theirs: string) => (compareBytes(utf8(mine), utf8(theirs)) <= 0 ? mine : theirs);
  return { shard: one.shard, rev: Math.max(one.rev, other.rev), ids: joined(one.ids, other.ids, smaller) };
}

/** Moves what does not fit into the month's next shard: what stays, what goes on (to be merged there). */
export function splitSeen(seen: Seen): [Seen, Seen] {
  const sorted = [...seen.ids].sort(([one], [other]) => (one < other ? -1 : 1));
  const month = seen.shard.slice(0, "seen-YYYY-MM".length);
  const number = Number(seen.shard.slice(month.length + 1) || 1);
  return [
    { ...seen, ids: new Map(sorted.slice(0, SEEN_IDS)) },
    { shard: `${month}-${number + 1}`, rev: 0, ids: new Map(sorted.slice(SEEN_IDS)) },
  ];
}

/** Counts up before a shard is sealed and put. */
export function nextRev<S extends Shard>(shard: S): S {
  return { ...shard, rev: shard.rev + 1 };
}

/** Signs and seals a shard; raise its `rev` first. @throws ProtocolError shard-too-large */
export async function sealShard(
  shard: Shard,
  keys: { state: string; signing: SigningKey },
): Promise<Uint8Array<ArrayBuffer>> {
  const plaintext = writePadded("state", contentOf(shard), keys.signing);
  const sealed = await seal(plaintext, [await recipientOf(keys.state)]);
  if (sealed.length > SHARD_BYTES) throw new ProtocolError("shard-too-large");
  return sealed;
}

interface Opening {
  /** The state keys, the present one first. */
  readonly states: readonly string[];
  /** The account's own signing public keys. */
  readonly signers: readonly Uint8Array[];
  /** The highest rev that this device has seen. */
  readonly highestRev?: number;
}

export function openContacts(sealed: Uint8Array, opening: Opening): Promise<Contacts> {
  return openShard(sealed, contactsShape, "contacts", opening, isRightContacts);
}

export function openGroups(sealed: Uint8Array, opening: Opening): Promise<Groups> {
  return openShard(sealed, groupsShape, "groups", opening, isRightGroups);
}

export function openSettings(sealed: Uint8Array, opening: Opening): Promise<Settings> {
  return openShard(sealed, settingsShape, "settings", opening, () => true);
}

/** Opens the shard of seen ids with this name. */
export function openSeen(sealed: Uint8Array, name: string, opening: Opening): Promise<Seen> {
  return openShard(sealed, seenShape, name, opening, isRightSeen);
}

/** Opens the shard of flags with this name. */
export function openKept(sealed: Uint8Array, name: string, opening: Opening): Promise<Kept> {
  return openShard(sealed, keptShape, name, opening, isRightKept);
}

async function openShard<S extends Shard>(
  sealed: Uint8Array,
  shape: Shape<S>,
  name: string,
  { states, signers, highestRev = 0 }: Opening,
  isRight: (shard: S) => boolean,
): Promise<S> {
  if (sealed.length > SHARD_BYTES) throw new ProtocolError("shard-too-large");
  const box = readContainer(await unsealed(sealed, states), "state", SHARD_BYTES);
  const signer = requireSigner(box);
  if (!signers.some((key) => equalBytes(key, signer))) throw new ProtocolError("shard-forged");
  const head = readPayload(box, headShape, "shard-malformed");
  if (head.shard !== name) throw new ProtocolError("shard-swapped");
  const shard = readPayload(box, shape, "shard-malformed");
  if (!isRight(shard)) throw new ProtocolError("shard-malformed", "its content");
  if (shard.rev < highestRev) throw new ProtocolError("shard-rolled-back");
  return shard;
}

async function unsealed(sealed: Uint8Array, states: readonly string[]): Promise<Uint8Array> {
  try {
    return await unseal(sealed, states, { stanzas: 1 });
  } catch (error) {
    if (error instanceof AgeError) throw new ProtocolError("shard-damaged", error.message);
    throw error;
  }
}

function isRightContacts({ contacts }: Contacts): boolean {
  return [...contacts].every(
    ([acct, { pin }]) => isAcct(acct) && (!pin || [pin.sign, ...pin.former].every((key) => isB64(key, 32))),
  );
}

function isRightSeen({ shard, ids }: Seen): boolean {
  return SEEN_NAME.test(shard) && [...ids].every(([id, digest]) => isId(id, "msg") && isB64(digest, DIGEST_BYTES));
}

function isRightKept({ shard, messages }: Kept): boolean {
  return KEPT_NAME.test(shard) && [...messages.keys()].every((id) => isId(id, "msg"));
}

/** The payload, its keys in the order of the protocol's tables. */
export function contentOf(shard: Shard): object {
  const { shard: name, rev } = shard;
  if ("contacts" in shard) return { shard: name, rev, contacts: plain(shard.contacts, inContactOrder) };
  if ("groups" in shard) return { shard: name, rev, groups: plain(shard.groups, inGroupOrder) };
  if ("settings" in shard)
    return { shard: name, rev, settings: plain(shard.settings, ({ value, at }) => ({ value, at })) };
  if ("messages" in shard) return { shard: name, rev, messages: plain(shard.messages, inFlagOrder) };
  return { shard: name, rev, ids: plain(shard.ids, (digest) => digest) };
}

function inGroupOrder({ name, members }: Group): object {
  const register = <T>({ value, at }: { value: T; at: number }) => ({ value, at });
  return { name: register(name), members: plain(members ?? new Map(), register) };
}

function inFlagOrder({ kept, archived }: Flags): Flags {
  const flag = ({ value, at }: NonNullable<Flags["kept"]>) => ({ value, at });
  return { ...(kept && { kept: flag(kept) }), ...(archived && { archived: flag(archived) }) };
}

/** An object of a map; without a prototype, so that every text is a plain key. */
function plain<T>(map: ReadonlyMap<string, T>, written: (entry: T) => unknown): object {
  const entries = Object.create(null) as Record<string, unknown>;
  for (const [key, entry] of map) entries[key] = written(entry);
  return entries;
}

function joined<T>(
  one: ReadonlyMap<string, T>,
  other: ReadonlyMap<string, T>,
  join: (a: T, b: T) => T,
): Map<string, T> {
  const result = new Map(one);
  for (const [key, theirs] of other) {
    const mine = one.get(key);
    result.set(key, mine === undefined ? theirs : join(mine, theirs));
  }
  return new Map([...result].sort(([a], [b]) => (a < b ? -1 : 1)));
}
