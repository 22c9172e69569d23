/**
 * Everything of an account in one .zip of standard files, as `restante export` writes it into a folder: each message with its key, its
 * encrypted files and an .mp4, and what belongs to no single message as JSON. It goes on wherever the person is in the app.
 */

import { makeZip } from "client-zip";
import { malformed } from "../transfer/problem";
import { openArchive, type Archive } from "../storage/archive";
import { giveFile } from "./downloads";
import { readDeletions } from "./deletions.svelte";
import { isCode, failureOf, type Failure } from "./failure";
import type { House } from "./house.svelte";
import type { InboxWire, SentWire } from "./letters";
import { isGone } from "./box";
import { Opener, type OpenedMessage } from "./opener";
import { packed, PRIVATE, type ReadmeFacts, type ZipEntry } from "./packing";

/** What could not be written, and why: by message, or `deletions`. */
export interface Unwritten {
  readonly id: string;
  readonly code: string;
}

export type ExportPhase =
  | { kind: "idle" }
  | { kind: "working"; done: number; of: number | null }
  | { kind: "done"; written: number; unwritten: readonly Unwritten[] }
  | { kind: "failed"; failure: Failure };

type Box = "inbox" | "sent";
type Listed = { readonly id: string; readonly box: Box };
interface ListPage {
  readonly items: readonly { readonly id: string; readonly deleted_at: number | null }[];
  readonly cursor: string | null;
}
const PAGE = 100;

export class Exporting {
  phase: ExportPhase = $state.raw({ kind: "idle" });
  /** The network is away; it goes on by itself. */
  isHeld = $state(false);
  readonly #house: House;
  readonly #openArchive: typeof openArchive;
  readonly #opener: Opener;
  #stop: AbortController | null = null;

  constructor(house: House, open: typeof openArchive = openArchive) {
    this.#house = house;
    this.#openArchive = open;
    this.#opener = new Opener(house);
  }

  /** After a press: the browser may ask where to. `readme` says what lies in a message's folder. Never rejects: `phase` tells. */
  async start(readme: (facts: ReadmeFacts) => string): Promise<void> {
    if (this.#stop !== null) return;
    const stop = (this.#stop = new AbortController());
    const signal = AbortSignal.any([stop.signal, this.#house.signal]);
    try {
      const archive = await this.#openArchive(this.#name(), giveFile);
      this.phase = { kind: "working", done: 0, of: null };
      await this.#write(archive, readme, signal);
    } catch (error) {
      const failure = failureOf(error);
      this.phase = signal.aborted || failure.code === "closed" ? { kind: "idle" } : { kind: "failed", failure };
    } finally {
      this.#stop = null;
      this.isHeld = false;
    }
  }

  stop(): void {
    this.#stop?.abort(new DOMException("stopped", "AbortError"));
  }

  close(): void {
    this.stop();
  }

  async #write(archive: Archive, readme: (facts: ReadmeFacts) => string, signal: AbortSignal): Promise<void> {
    const unwritten: Unwritten[] = [];
    let written = 0;
    const entries = async function* (this: Exporting): AsyncGenerator<ZipEntry> {
      const listed = await this.#listed(signal);
      for (const [done, item] of listed.entries()) {
        this.phase = { kind: "working", done, of: listed.length };
        const files = await this.#message(item, readme, unwritten, signal);
        yield* files;
        if (files.length > 0) written++;
      }
      await this.#opener.keep().catch(() => undefined); // senders that were met are among the contacts
      yield* await this.#account(unwritten, signal);
      if (unwritten.length > 0) yield json("not-exported", unwritten);
    };
    await makeZip(entries.call(this)).pipeTo(archive.writable, { signal });
    await archive.finish();
    this.phase = { kind: "done", written, unwritten };
  }

  /** All that lives; a message to oneself stands in both boxes, and is written as received. */
  async #listed(signal: AbortSignal): Promise<Listed[]> {
    const found = new Map<string, Listed>();
    for (const box of ["inbox", "sent"] as const) {
      const cursors = new Set<string>();
      for (let cursor: string | null = ""; cursor !== null;) {
        if (cursors.size === cursors.add(cursor).size) throw malformed("a list without end");
        const page: ListPage = await this.#page(box, cursor, signal);
        for (const { id, deleted_at: goneAt } of page.items)
          if (goneAt === null && !found.has(id)) found.set(id, { id, box });
        cursor = page.cursor;
      }
    }
    return [...found.values()];
  }

  #page(box: Box, cursor: string, signal: AbortSignal): Promise<ListPage> {
    const query = { limit: PAGE, envelopes: "none", ...(cursor !== "" && { cursor }) };
    const path = box === "inbox" ? "/api/v1/inbox" : "/api/v1/sent";
    return this.#patiently(signal, () => this.#house.api.get(path, { query, signal }));
  }

  /** All files of a message, or none: then `unwritten` says why. */
  async #message(
    { id, box }: Listed,
    readme: (facts: ReadmeFacts) => string,
    unwritten: Unwritten[],
    signal: AbortSignal,
  ): Promise<ZipEntry[]> {
    try {
      const opened = await this.#patiently(signal, () => this.#opened(id, box, signal));
      return await packed(opened, {
        crypto: this.#house.crypto,
        signal,
        readme,
        onHeld: (held) => (this.isHeld = held),
      });
    } catch (error) {
      signal.throwIfAborted();
      if (!isGone(error)) unwritten.push({ id, code: failureOf(error).code }); // else it was deleted meanwhile
      return [];
    }
  }

  async #opened(id: string, box: Box, signal: AbortSignal): Promise<OpenedMessage> {
    const extras = { path: { message_id: id }, query: { box }, signal };
    const item = await this.#house.api.get("/api/v1/messages/{message_id}", extras);
    return box === "inbox" ? this.#opener.received(item as InboxWire) : this.#opener.sent(item as SentWire);
  }

  /** What belongs to no single message. */
  async #account(unwritten: Unwritten[], signal: AbortSignal): Promise<ZipEntry[]> {
    const { api, crypto, account } = this.#house;
    const path = { name: account.name };
    const audit = await this.#patiently(signal, () => readDeletions(this.#house)).catch((error: unknown) => {
      if (!isCode(error, "audit-rewritten")) throw error;
      unwritten.push({ id: "deletions", code: "audit-rewritten" });
      return [];
    });
    const known = await this.#patiently(signal, () => api.get("/api/v1/account/known", { signal }));
    const records = await this.#patiently(signal, () => api.get("/api/v1/accounts/{name}/records", { path, signal }));
    return [
      json("contacts", Object.fromEntries(await crypto.contacts())),
      json("settings", Object.fromEntries(await crypto.settingEntries())),
      json("records", records),
      json("known", known),
      json("audit", audit),
      ...(await this.#keys(signal)),
    ];
  }

  /** Keyring and notes, sealed as the server has them, and the salt of the passphrase: what `restante import` takes over elsewhere. */
  async #keys(signal: AbortSignal): Promise<ZipEntry[]> {
    const { api, account } = this.#house;
    const path = { name: account.name };
    const { salt } = await this.#patiently(signal, () => api.get("/api/v1/sign-in/{name}/salt", { path, signal }));
    const { items } = await this.#patiently(signal, () => api.get("/api/v1/account/state", { signal }));
    const keyring = await this.#patiently(signal, () => api.getOctets("/api/v1/account/keyring", { signal }));
    const shards: ZipEntry[] = [];
    for (const { shard } of items) {
      const get = () => api.getOctets("/api/v1/account/state/{shard}", { path: { shard }, signal });
      shards.push(secret(`state/${shard}.age`, (await this.#patiently(signal, get)).data));
    }
    const ways = { server: location.origin, acct: account.acct, salt };
    return [json("ways", ways), secret("keyring.age", keyring.data), ...shards];
  }

  /** What passes is waited out. */
  async #patiently<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const done = await this.#house.api.patiently(work, signal, () => (this.isHeld = true));
    this.isHeld = false;
    return done;
  }

  #name(): string {
    return `restante-${this.#house.account.name}-${new Date().toISOString().slice(0, 10)}.zip`;
  }
}

function json(name: string, value: unknown): ZipEntry {
  return secret(`${name}.json`, `${JSON.stringify(value, null, 2)}\n`);
}

function secret(name: string, input: ZipEntry["input"]): ZipEntry {
  return { name: `account/${name}`, input, lastModified: new Date(), mode: PRIVATE };
}
