/** The people of an account: pinned on first use, from then on only what follows their pinned key is believed. */

import type { Contact, CryptoService, PersonView as Met } from "../crypto/service";
import { unb64 } from "../protocol/encoding";
import { isName, nameOf } from "../protocol/names";
import type { Api } from "../transfer/http";
import { malformed } from "../transfer/problem";
import { failureOf, isCode, Refused, type Failure } from "./failure";
import type { ShardStore } from "./shards";

export interface Person {
  /** The address here: `ann`. */
  account: string;
  name: string;
  trust: "verified" | "new-key" | "none";
}

export type Adding =
  { kind: "idle" } | { kind: "looking" } | { kind: "added"; person: Person } | { kind: "failed"; failure: Failure };

export type PeopleState =
  { kind: "loading" } | { kind: "ready" } | { kind: "failed"; failure: Failure } | { kind: "offline" };

export interface PeopleTools {
  readonly api: Api;
  readonly crypto: CryptoService;
  readonly shards: ShardStore;
  readonly account: { readonly acct: string };
}

const SHARD = "contacts";

export class People {
  state: PeopleState = $state.raw({ kind: "loading" });
  adding: Adding = $state.raw({ kind: "idle" });
  #contacts: ReadonlyMap<string, Contact> = $state.raw(new Map());
  /** Accounts whose key is another than the one that was pinned before. */
  #newKeys: ReadonlySet<string> = $state.raw(new Set());
  readonly #tools: PeopleTools;
  readonly #server: string;

  constructor(tools: PeopleTools) {
    this.#tools = tools;
    tools.shards.onTaken(SHARD, () => this.#show());
    this.#server = tools.account.acct.slice(tools.account.acct.indexOf("@") + 1);
  }

  /** Everybody that is listed, by name. */
  list: readonly Person[] = $derived(
    [...this.#contacts]
      .filter(([, contact]) => isListed(contact))
      .map(([acct]) => this.view(acct))
      .sort((one, other) => one.name.localeCompare(other.name)),
  );

  /** How somebody is shown; one who was never met has no more than an address. */
  view(acct: string): Person {
    const contact = this.#contacts.get(acct);
    const account = this.#shortOf(acct);
    const trust = this.#newKeys.has(acct) ? "new-key" : contact && isVerifiedContact(contact) ? "verified" : "none";
    return { account, name: contact?.name?.value ?? account, trust };
  }

  /** `ann` or `ann@this-server` as an address. @throws Refused bad-name, unknown-server */
  acctOf(typed: string): string {
    const [name = "", server = this.#server, more] = typed.trim().replace(/^@/, "").toLowerCase().split("@");
    if (!isName(name) || more !== undefined) throw new Refused("bad-name");
    if (server !== this.#server) throw new Refused("unknown-server");
    return `${name}@${server}`;
  }

  /** Shows this device's copy. */
  async recall(): Promise<void> {
    if (await this.#tools.shards.recall(SHARD)) await this.#show();
  }

  /** Reads what the server has. Never rejects: `state` tells. */
  async refresh(): Promise<void> {
    try {
      await this.#tools.shards.fetch(SHARD);
      const fault = this.#tools.shards.faults.get(SHARD);
      this.state = fault === undefined ? { kind: "ready" } : { kind: "failed", failure: { code: fault } };
    } catch (error) {
      const failure = failureOf(error);
      this.state = failure.code === "offline" ? { kind: "offline" } : { kind: "failed", failure };
    }
  }

  /** Somebody comes to look at the list. */
  arrive(): void {
    this.adding = { kind: "idle" };
    void this.refresh();
  }

  /** Looks an address up and keeps who answers to it. Never rejects: `adding` tells. Gives the person, if there is one. */
  async add(typed: string): Promise<Person | null> {
    this.adding = { kind: "looking" };
    try {
      const acct = this.acctOf(typed);
      await this.meet(acct, null);
      await this.#note(acct, { request: { state: "accepted", at: Date.now() } });
      const person = this.view(acct);
      this.adding = { kind: "added", person };
      return person;
    } catch (error) {
      this.adding = { kind: "failed", failure: failureOf(error) };
      return null;
    }
  }

  /** No longer listed; what they sent stays, and so does their pin. */
  async remove(account: string): Promise<void> {
    await this.#note(this.acctOf(account), { request: { state: "declined", at: Date.now() } });
  }

  /**
   * Fetches an account's records, checks them against its pin or pins them; `signer` is who signed the envelope that made
   * the contact. Gives the newest record. @throws Problem, ProtocolError such as `safety-number-changed`
   */
  async meet(acct: string, signer: Uint8Array | null): Promise<Uint8Array<ArrayBuffer>> {
    await this.#tools.shards.need(SHARD); // who is pinned must be known before anybody is met
    const history = await this.history(acct);
    const met = await this.#checked(acct, history, signer);
    if (met.hasNewKey) this.#newKeys = new Set([...this.#newKeys, acct]);
    await this.#tools.shards.keep();
    await this.#show();
    const newest = history.at(-1);
    if (newest === undefined) throw malformed("an account without records");
    return newest;
  }

  /** All records of an account of this server, oldest first, unverified. @throws Problem, Refused unknown-server */
  async history(acct: string): Promise<Uint8Array<ArrayBuffer>[]> {
    const path = { name: nameOf(this.acctOf(acct)) };
    const { items } = await this.#tools.api.get("/api/v1/accounts/{name}/records", { path });
    try {
      return items.map(({ record }) => unb64(record));
    } catch {
      throw malformed("an account record");
    }
  }

  async #checked(acct: string, history: Uint8Array[], signer: Uint8Array | null): Promise<Met> {
    try {
      return await this.#tools.crypto.meet(acct, history, signer, Date.now());
    } catch (error) {
      if (isCode(error, "safety-number-changed")) this.#newKeys = new Set([...this.#newKeys, acct]);
      throw error;
    }
  }

  async #note(acct: string, news: Omit<Contact, "pin">): Promise<void> {
    await this.#tools.crypto.noteContact(acct, news);
    await this.#tools.shards.keep();
    await this.#show();
  }

  async #show(): Promise<void> {
    this.#contacts = await this.#tools.crypto.contacts();
  }

  #shortOf(acct: string): string {
    return acct.endsWith(`@${this.#server}`) ? nameOf(acct) : acct;
  }
}

function isListed({ request, blocked }: Contact): boolean {
  return request?.state !== "declined" && blocked?.value !== true;
}

function isVerifiedContact({ pin, verified }: Contact): boolean {
  return pin !== undefined && verified?.sign === pin.sign;
}
