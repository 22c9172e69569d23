/** Named lists of people, known to nobody but their owner: sending to one leaves one message for all of them. */

import type { Group, NamedGroup } from "../crypto/service";
import { newId } from "../protocol/ids";
import { NAME_CHARS, RECIPIENTS } from "../protocol/limits";
import { failureOf, Refused } from "./failure";
import type { House } from "./house.svelte";
import { UNDO_MS } from "./undo";

type Tools = Pick<House, "crypto" | "shards" | "live">;

const SHARD = "groups";

export class GroupsState {
  /** By name; those that were given up are not among them. */
  all: readonly NamedGroup[] = $state.raw([]);
  /** What was just given up and can still be brought back. */
  deleted: NamedGroup | null = $state.raw(null);
  /** Whether this device's copy, or the server's, was looked at. */
  isLooked = $state(false);
  readonly #tools: Tools;
  readonly #unlisten: () => void;
  readonly #looked: Promise<void>;
  #undoTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(tools: Tools) {
    this.#tools = tools;
    tools.shards.onTaken(SHARD, () => this.#show());
    this.#unlisten = tools.live.listen(({ kind }) => {
      if (kind === "connected") void this.#read();
    });
    this.#looked = this.#look();
  }

  get(id: string): NamedGroup | null {
    return this.all.find((group) => group.id === id) ?? null;
  }

  /** Who is in a group; nobody, when there is none. */
  async membersOf(id: string): Promise<readonly string[]> {
    await this.#looked;
    return this.get(id)?.members ?? [];
  }

  /** @throws Refused group-name-empty, group-name-too-long, group-name-taken; StorageError */
  async make(name: string): Promise<string> {
    const id = newId("grp");
    await this.#note(id, { name: { value: this.#checked(name, id), at: Date.now() } });
    return id;
  }

  /** @throws likewise */
  async rename(id: string, name: string): Promise<void> {
    await this.#note(id, { name: { value: this.#checked(name, id), at: Date.now() } });
  }

  /** Puts somebody in or takes them out. @throws Refused group-full; StorageError */
  async set(id: string, acct: string, isMember: boolean): Promise<void> {
    const group = this.get(id);
    if (group === null || group.members.includes(acct) === isMember) return;
    if (isMember && group.members.length >= RECIPIENTS) throw new Refused("group-full");
    // The name stands as it is: with an instant of zero it never wins over what another device says.
    const members = new Map([[acct, { value: isMember, at: Date.now() }]]);
    await this.#note(id, { name: { value: group.name, at: 0 }, members });
  }

  /** Gives a group up; for a while that can be undone. @throws StorageError */
  async delete(id: string): Promise<void> {
    const group = this.get(id);
    if (group === null) return;
    await this.#note(id, { name: { value: null, at: Date.now() } });
    clearTimeout(this.#undoTimer);
    this.deleted = group;
    this.#undoTimer = setTimeout(() => (this.deleted = null), UNDO_MS);
  }

  /** @throws StorageError */
  async undo(): Promise<void> {
    clearTimeout(this.#undoTimer);
    const group = this.deleted;
    this.deleted = null;
    if (group) await this.#note(group.id, { name: { value: group.name, at: Date.now() } });
  }

  close(): void {
    clearTimeout(this.#undoTimer);
    this.#unlisten();
  }

  #checked(typed: string, id: string): string {
    const name = typed.trim();
    if (name === "") throw new Refused("group-name-empty");
    if ([...name].length > NAME_CHARS) throw new Refused("group-name-too-long");
    if (this.all.some((group) => group.name === name && group.id !== id)) throw new Refused("group-name-taken");
    return name;
  }

  async #note(id: string, news: Group): Promise<void> {
    const { crypto, shards } = this.#tools;
    await shards.need(SHARD).catch(unlessOffline); // merged when it comes
    await crypto.noteGroup(id, news);
    await this.#show();
    await shards.keep();
  }

  async #look(): Promise<void> {
    await this.#tools.shards.recall(SHARD).catch(() => false);
    await this.#show().catch(() => undefined);
    await this.#read();
    this.isLooked = true;
  }

  /** What is known here stands when the server is not reached. */
  async #read(): Promise<void> {
    await this.#tools.shards.fetch(SHARD).catch(() => undefined);
    await this.#show().catch(() => undefined);
  }

  async #show(): Promise<void> {
    const groups = await this.#tools.crypto.groups();
    this.all = [...groups].sort((one, other) => one.name.localeCompare(other.name) || (one.id < other.id ? -1 : 1));
  }
}

function unlessOffline(error: unknown): void {
  if (failureOf(error).code !== "offline") throw error;
}
