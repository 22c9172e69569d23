// The state shards of one account, as this worker knows them: what the server last gave, and what was learnt since.
//
// `take` merges what comes from the server or from this device's own sealed copy, so that neither a rollback nor a loss
// there takes anything away; `pending` names what has to be put; a refused put (412) is `take` and `give` again.

import { ProtocolError } from "../protocol/errors";
import { write } from "../protocol/ijson";
import { KEPT_IDS, SEEN_IDS } from "../protocol/limits";
import { noGroups, type Groups } from "./groups";
import { ownKeysOf, signingKeyOf, statesOf, type Keyring } from "./keyring";
import {
  contentOf,
  mergeContacts,
  mergeGroups,
  mergeKept,
  mergeSeen,
  mergeSettings,
  nextRev,
  noContacts,
  noneSeen,
  noSettings,
  openContacts,
  openGroups,
  openKept,
  openSeen,
  openSettings,
  sealShard,
  type Contacts,
  type Flags,
  type Kept,
  type Seen,
  type Settings,
  type Shard,
} from "./shards";

const LONGEST_SERIES = 9;

export class ShardBook {
  readonly #local = new Map<string, Shard>();
  readonly #stored = new Map<string, Shard>();
  readonly #given = new Map<string, Shard>();
  /** What the server was asked for since the account was unlocked, whatever it had. */
  readonly #asked = new Set<string>();

  constructor(private readonly keyring: () => Keyring) {}

  get contacts(): Contacts {
    return (this.#local.get("contacts") as Contacts | undefined) ?? noContacts();
  }

  get groups(): Groups {
    return (this.#local.get("groups") as Groups | undefined) ?? noGroups();
  }

  /** What the owner does with messages, of every month that was taken. */
  get flags(): ReadonlyMap<string, Flags> {
    return new Map([...this.#local.values()].flatMap((shard) => ("messages" in shard ? [...shard.messages] : [])));
  }

  get settings(): Settings {
    return (this.#local.get("settings") as Settings | undefined) ?? noSettings();
  }

  learnContacts(news: Contacts): void {
    this.#local.set("contacts", mergeContacts(this.contacts, news));
  }

  learnGroups(news: Groups): void {
    this.#local.set("groups", mergeGroups(this.groups, news));
  }

  /** Tells whether there was room for it in its month. */
  learnFlags(id: string, shard: string, flags: Flags): boolean {
    const before = (this.#local.get(shard) as Kept | undefined) ?? { shard, rev: 0, messages: new Map() };
    if (!before.messages.has(id) && before.messages.size >= KEPT_IDS) return false;
    this.#local.set(shard, mergeKept(before, { shard, rev: 0, messages: new Map([[id, flags]]) }));
    return true;
  }

  learnSettings(news: Settings): void {
    this.#local.set("settings", mergeSettings(this.settings, news));
  }

  /** Looks up the digest under which a message id was received, in all shards of its month. */
  digest(id: string, month: string): string | undefined {
    return this.#series(month)
      .map((shard) => shard.ids.get(id))
      .find((digest) => digest !== undefined);
  }

  /** Whether an id is in any of the shards that were taken. */
  wasReceived(id: string): boolean {
    return [...this.#local.values()].some((shard) => "ids" in shard && shard.ids.has(id));
  }

  /** Remembers an id in the month's last shard that has room. */
  learnSeen(id: string, month: string, digest: string): void {
    if (this.digest(id, month) !== undefined) return;
    const series = this.#series(month);
    const open = series.find((shard) => shard.ids.size < SEEN_IDS) ?? noneSeen(nameInSeries(month, series.length + 1));
    if (series.length >= LONGEST_SERIES && open.ids.size === 0) return; // 36,000 messages in a month: no longer counted
    const news: Seen = { shard: open.shard, rev: 0, ids: new Map([[id, digest]]) };
    this.#local.set(open.shard, mergeSeen(open, news));
  }

  /** Names the shards of a month that are to be fetched before its messages are opened. */
  seriesOf(month: string): string[] {
    const known = this.#series(month);
    const last = known.at(-1);
    const goesOn = last === undefined || last.ids.size >= SEEN_IDS;
    const names = known.map((shard) => shard.shard);
    return goesOn && names.length < LONGEST_SERIES ? [...names, nameInSeries(month, names.length + 1)] : names;
  }

  /** Names what is still to be fetched before ids of this month can be told from new ones. */
  unread(month: string): string[] {
    return this.seriesOf(month).filter((name) => !this.#asked.has(name));
  }

  /** Notes that the server has no such shard. */
  lacks(name: string): void {
    this.#asked.add(name);
  }

  /** Tells whether a shard was looked for, here or on the server: without, everybody would look like a stranger. */
  knows(name: string): boolean {
    return this.#asked.has(name) || this.#local.has(name);
  }

  /** Merges a sealed shard. Returns its rev: the device remembers the highest. @throws ProtocolError shard-… */
  async take(name: string, sealed: Uint8Array, from: { server: boolean; highestRev: number }): Promise<number> {
    const keyring = this.keyring();
    const opening = { states: statesOf(keyring), signers: ownKeysOf(keyring), highestRev: from.highestRev };
    const shard = await this.#opened(name, sealed, opening);
    if (from.server) {
      this.#stored.set(name, shard);
      this.#asked.add(name);
    }
    const mine = this.#local.get(name);
    this.#local.set(name, mine ? merged(mine, shard) : shard);
    return shard.rev;
  }

  /** Names what is known here and not on the server. */
  pending(): string[] {
    return [...this.#local.keys()].filter((name) => !isSameContent(this.#local.get(name), this.#stored.get(name)));
  }

  /** Seals a shard with the next rev, to be put. */
  async give(name: string): Promise<{ sealed: Uint8Array<ArrayBuffer>; rev: number }> {
    const shard = this.#local.get(name);
    if (!shard) throw new ProtocolError("shard-swapped", "a shard that is not known here");
    const keyring = this.keyring();
    const next = nextRev(shard);
    this.#given.set(name, next);
    return { sealed: await sealShard(next, { state: keyring.state, signing: signingKeyOf(keyring) }), rev: next.rev };
  }

  /** Notes that the server has what `give` sealed. */
  stored(name: string): void {
    const given = this.#given.get(name);
    const mine = this.#local.get(name);
    if (!given || !mine) return;
    this.#stored.set(name, given);
    this.#local.set(name, merged(mine, given));
  }

  #series(month: string): Seen[] {
    const found: Seen[] = [];
    for (let number = 1; number <= LONGEST_SERIES; number++) {
      const shard = this.#local.get(nameInSeries(month, number)) as Seen | undefined;
      if (!shard) break;
      found.push(shard);
    }
    return found;
  }

  async #opened(name: string, sealed: Uint8Array, opening: Parameters<typeof openContacts>[1]): Promise<Shard> {
    if (name === "contacts") return openContacts(sealed, opening);
    if (name === "groups") return openGroups(sealed, opening);
    if (name.startsWith("kept-")) return openKept(sealed, name, opening);
    return name === "settings" ? openSettings(sealed, opening) : openSeen(sealed, name, opening);
  }
}

function nameInSeries(month: string, number: number): string {
  return number === 1 ? month : `${month}-${number}`;
}

function merged(one: Shard, other: Shard): Shard {
  if ("contacts" in one && "contacts" in other) return mergeContacts(one, other);
  if ("groups" in one && "groups" in other) return mergeGroups(one, other);
  if ("settings" in one && "settings" in other) return mergeSettings(one, other);
  if ("messages" in one && "messages" in other) return mergeKept(one, other);
  if ("ids" in one && "ids" in other) return mergeSeen(one, other);
  throw new ProtocolError("shard-swapped");
}

function isSameContent(one: Shard | undefined, other: Shard | undefined): boolean {
  if (!one || !other) return one === other || sizeOf(one ?? other) === 0;
  return text(one) === text(other);
}

function sizeOf(shard: Shard | undefined): number {
  if (!shard) return 0;
  if ("contacts" in shard) return shard.contacts.size;
  if ("groups" in shard) return shard.groups.size;
  if ("messages" in shard) return shard.messages.size;
  return "settings" in shard ? shard.settings.size : shard.ids.size;
}

/** Without the rev, in an order of keys that does not depend on who merged. */
function text(shard: Shard): string {
  const content = contentOf({ ...merged(shard, shard), rev: 0 });
  return new TextDecoder().decode(write(content));
}
