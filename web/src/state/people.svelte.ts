/** The people of an account: pinned on first use, from then on only what follows their pinned key is believed. */

import type { Contact, CryptoService, PersonView as Met } from "../crypto/service";
import type { LoggedRecord } from "../crypto/transparency";
import { unb64 } from "../protocol/encoding";
import { ProtocolError } from "../protocol/errors";
import { isName, nameOf } from "../protocol/names";
import type { DeviceVault } from "../storage/keys";
import type { Api } from "../transfer/http";
import { malformed } from "../transfer/problem";
import { Acquaintances } from "./acquaintances";
import { failureOf, isCode, Refused, type Failure } from "./failure";
import { invitationLink } from "./invitation";
import type { ShardStore } from "./shards";

export interface Person {
  /** The address here: `ann`. */
  account: string;
  name: string;
  /**
   * `verified`: the safety number was compared. `new-key`: another key than before, which nobody vouched for: nothing is sent
   * until it is accepted. `succeeded`: a new key, signed with the old one.
   */
  trust: "verified" | "new-key" | "succeeded" | "none";
}

export type Adding =
  { kind: "idle" } | { kind: "looking" } | { kind: "added"; person: Person } | { kind: "failed"; failure: Failure };

export type PeopleState =
  { kind: "loading" } | { kind: "ready" } | { kind: "failed"; failure: Failure } | { kind: "offline" };

export interface PeopleTools {
  readonly api: Api;
  readonly crypto: CryptoService;
  readonly shards: ShardStore;
  readonly vault: DeviceVault;
  readonly account: { readonly acct: string };
  readonly log: { check(records: readonly LoggedRecord[]): Promise<void> };
}

const SHARD = "contacts";
/** So many people's keys are looked at when the list is opened; the others' when they write or are written to. */
const LOOKED_AT = 50;

export class People {
  state: PeopleState = $state.raw({ kind: "loading" });
  adding: Adding = $state.raw({ kind: "idle" });
  #contacts: ReadonlyMap<string, Contact> = $state.raw(new Map());
  /** How others add this account; null until it is known. */
  link: string | null = $state.raw(null);
  /** Accounts whose key is another than the one that is pinned. */
  #newKeys: ReadonlySet<string> = $state.raw(new Set());
  /** Whose key was followed by another one while this page was open. */
  #succeeded: ReadonlySet<string> = $state.raw(new Set());
  #wereMet = new Set<string>();
  /** Where the server says that a record stands in its log. */
  readonly #leaves = new WeakMap<Uint8Array, number>();
  readonly #acquaintances: Acquaintances;
  readonly #tools: PeopleTools;
  readonly #server: string;

  constructor(tools: PeopleTools) {
    this.#tools = tools;
    this.#acquaintances = new Acquaintances(tools);
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
    return { account, name: contact?.name?.value ?? account, trust: this.#trustIn(acct, contact) };
  }

  /** How somebody is shown whom an address of the app names; there may be nobody. */
  named(typed: string): Person {
    try {
      return this.view(this.acctOf(typed));
    } catch {
      return { account: typed, name: typed, trust: "none" };
    }
  }

  /** What is kept of an account; undefined: it was never met. */
  contact(acct: string): Contact | undefined {
    return this.#contacts.get(acct);
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
    void this.#showLink();
    void this.refresh().then(() => this.#lookAtKeys());
  }

  /**
   * Looks an address up and keeps who answers to it; `named` is the fingerprint that a link gives their key.
   * Never rejects: `adding` tells. Gives the person, if there is one.
   */
  async add(typed: string, named?: string): Promise<Person | null> {
    this.adding = { kind: "looking" };
    try {
      const acct = this.acctOf(typed);
      if (named !== undefined) await this.#tools.crypto.checkFingerprint(acct, await this.history(acct), named);
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

  /** How the owner stands to somebody: who wrote first and was not decided about is a request. */
  standing(acct: string): "known" | "request" | "blocked" {
    const contact = this.#contacts.get(acct);
    if (contact?.blocked?.value === true) return "blocked";
    return contact?.request?.state === "pending" ? "request" : "known";
  }

  /** Takes somebody who wrote first among the people. The server hears it, so that it may notify of theirs. */
  async welcome(account: string): Promise<void> {
    const acct = this.acctOf(account);
    await this.#note(acct, { request: { state: "accepted", at: Date.now() } });
    await this.#acquaintances.tell(acct, "accepted");
  }

  /** Nothing of theirs is shown any more, nor stored by the server; they cannot tell. */
  async block(account: string): Promise<void> {
    const acct = this.acctOf(account);
    await this.#note(acct, { blocked: { value: true, at: Date.now() } });
    await this.#acquaintances.tell(acct, "blocked");
  }

  async unblock(account: string): Promise<void> {
    const acct = this.acctOf(account);
    await this.#note(acct, { blocked: { value: false, at: Date.now() } });
    await this.#acquaintances.tell(acct, "unknown");
  }

  /** Tells the server what it did not hear of such decisions. Never rejects. */
  settle(): Promise<void> {
    return this.#acquaintances.settle();
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
    await this.#checkLogged(acct, history);
    const met = await this.#checked(acct, history, signer);
    // Before any decision, whenever that was made: another device may know of one.
    if (signer !== null && met.isNew && acct !== this.#tools.account.acct)
      await this.#tools.crypto.noteContact(acct, { request: { state: "pending", at: 0 } });
    if (met.hasNewKey) this.#succeeded = new Set([...this.#succeeded, acct]);
    await this.#tools.shards.keep();
    await this.#show();
    const newest = history.at(-1);
    if (newest === undefined) throw malformed("an account without records");
    return newest;
  }

  /** The same for somebody who is to be written to: so whoever wrote first is accepted. @throws likewise */
  async meetRecipient(acct: string): Promise<Uint8Array<ArrayBuffer>> {
    const record = await this.meet(acct, null);
    const { request, blocked } = this.#contacts.get(acct) ?? {};
    const isDecided = request?.state === "accepted" || blocked?.value === true;
    if (!isDecided && acct !== this.#tools.account.acct) await this.welcome(acct);
    return record;
  }

  /** Marks somebody whose safety number was compared, for the key that it was; null takes the mark back. */
  async mark(acct: string, sign: string | null): Promise<void> {
    await this.#note(acct, { verified: { sign, at: Date.now() } });
  }

  /** Takes a changed key for theirs. The history is the one whose number the person saw. */
  async accept(acct: string, history: readonly Uint8Array[]): Promise<void> {
    await this.#checkInLog(acct, history.slice(-1));
    await this.#tools.crypto.acceptKey(acct, history);
    this.#newKeys = without(this.#newKeys, acct);
    await this.#tools.shards.keep();
    await this.#show();
  }

  /** All records of an account of this server, oldest first, unverified. @throws Problem, Refused unknown-server */
  async history(acct: string): Promise<Uint8Array<ArrayBuffer>[]> {
    const path = { name: nameOf(this.acctOf(acct)) };
    const { items } = await this.#tools.api.get("/api/v1/accounts/{name}/records", { path });
    try {
      return items.map(({ record, leaf }) => this.#placed(unb64(record), leaf));
    } catch {
      throw malformed("an account record");
    }
  }

  /**
   * Whether all that the server shows under the own name is one's own, and stands in its log: what others are shown.
   * @throws ProtocolError log-stranger, record-…, log-…; Problem
   */
  async checkOwn(): Promise<void> {
    const { acct } = this.#tools.account;
    const history = await this.history(acct);
    await this.#tools.crypto.checkOwnRecords(history);
    await this.#checkInLog(acct, history);
  }

  #placed(record: Uint8Array<ArrayBuffer>, leaf: number): Uint8Array<ArrayBuffer> {
    this.#leaves.set(record, leaf);
    return record;
  }

  /** What is about to be pinned must stand in the server's log. A history that follows no pin is refused by what comes after. */
  async #checkLogged(acct: string, history: readonly Uint8Array[]): Promise<void> {
    const { newRecords } = await import("../crypto/pins");
    const before = (await this.#tools.crypto.contacts()).get(acct)?.pin;
    await this.#checkInLog(acct, newRecords(before, acct, history));
  }

  async #checkInLog(acct: string, records: readonly Uint8Array[]): Promise<void> {
    const placed = records.map((record) => ({ acct, record, leaf: this.#leaves.get(record) ?? -1 }));
    if (placed.length > 0) await this.#tools.log.check(placed);
  }

  async #checked(acct: string, history: Uint8Array[], signer: Uint8Array | null): Promise<Met> {
    try {
      const met = await this.#tools.crypto.meet(acct, history, signer, Date.now());
      this.#newKeys = without(this.#newKeys, acct);
      this.#wereMet.add(acct);
      return met;
    } catch (error) {
      if (isCode(error, "safety-number-changed")) this.#newKeys = new Set([...this.#newKeys, acct]);
      throw ofRecord(error);
    }
  }

  /** Once in each life of a page, for everybody who is listed: a changed key is told before somebody records for it. */
  async #lookAtKeys(): Promise<void> {
    const listed = [...this.#contacts].filter(([acct, contact]) => isListed(contact) && !this.#wereMet.has(acct));
    for (const [acct] of listed.slice(0, LOOKED_AT)) {
      const failure = await this.meet(acct, null).then(() => null, failureOf);
      if (failure?.code === "offline" || failure?.code === "rate-limited") return;
    }
  }

  async #showLink(): Promise<void> {
    const { acct, fp } = await this.#tools.crypto.account();
    this.link = invitationLink(location.origin, { acct, fp });
  }

  #trustIn(acct: string, contact: Contact | undefined): Person["trust"] {
    if (this.#newKeys.has(acct)) return "new-key";
    if (!contact?.pin) return "none";
    const { pin, verified } = contact;
    if (verified?.sign === pin.sign) return "verified";
    const hasFallen = typeof verified?.sign === "string" && pin.former.includes(verified.sign);
    return hasFallen || this.#succeeded.has(acct) ? "succeeded" : "none";
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

function without(accts: ReadonlySet<string>, acct: string): ReadonlySet<string> {
  return new Set([...accts].filter((each) => each !== acct));
}

/** A signature that does not fit is said of the identity that it should prove, not of a message. */
function ofRecord(error: unknown): unknown {
  if (!(error instanceof ProtocolError) || !/^(signature|signing-key|container|payload)-/.test(error.code))
    return error;
  const code = error.code.startsWith("signature-") ? "record-not-self-signed" : "record-malformed";
  return new ProtocolError(code, error.code);
}
