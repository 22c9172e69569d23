/** Mail in memory: messages that are really sealed, a server's list that can be spoilt, a house around them. */

import type { ComposedMessage, CryptoService, NewMessage } from "../../src/crypto/service";
import { newMessageKey } from "../../src/crypto/video";
import { b64, unb64, utf8 } from "../../src/protocol/encoding";
import { nameOf } from "../../src/protocol/names";
import { newId } from "../../src/protocol/ids";
import type { House } from "../../src/state/house.svelte";
import type { InboxWire } from "../../src/state/letters";
import type { Happening } from "../../src/state/network.svelte";
import { People } from "../../src/state/people.svelte";
import { KeyLog } from "../../src/state/key-log";
import { Memory } from "../../src/state/memory";
import { Parts, type Part } from "../../src/state/parts";
import { ShardStore } from "../../src/state/shards";
import { openDatabase } from "../../src/storage/db";
import { DeviceVault } from "../../src/storage/keys";
import { Api } from "../../src/transfer/http";
import { FakeServer } from "./fake_server";
import { cryptoInProcess } from "./in_process";

export const SERVER = "post.example";
const JPEG = b64(utf8("not really a picture"));
const json = (value: unknown): Response =>
  new Response(JSON.stringify(value), { headers: { "content-type": "application/json" } });

export interface Correspondent {
  readonly acct: string;
  readonly crypto: CryptoService;
  readonly record: string;
}

export async function correspondent(name: string): Promise<Correspondent> {
  const crypto = cryptoInProcess().service;
  const acct = `${name}@${SERVER}`;
  const { record } = await crypto.makeAccount({ acct, passphrase: "detonator reckless unaligned", nowMs: Date.now() });
  return { acct, crypto, record };
}

/** Seals a video message as its sender's client would. */
export async function letterOf(
  sender: Correspondent,
  to: Correspondent,
  caption: string,
  { captions, ...terms }: Pick<NewMessage, "once" | "mayForward"> & { captions?: string } = {},
): Promise<ComposedMessage & { id: string }> {
  await sender.crypto.meet(to.acct, [unb64(to.record)], null, Date.now());
  const id = newId("msg");
  const video = {
    size: 1000,
    part: 262_144,
    sha256: [b64(new Uint8Array(32))],
    type: "video/mp4",
    ms: 4000,
    w: 640,
    h: 360,
  };
  const said = captions === undefined ? {} : { captions };
  const details = { video, caption, poster: { type: "image/jpeg", data: JPEG }, ...said };
  const wanted = {
    id,
    kind: "video" as const,
    createdMs: Date.now(),
    messageKey: newMessageKey(),
    upload: newId("upl"),
    details,
    ...terms,
  };
  return { id, ...(await sender.crypto.composeMessage(wanted, [unb64(to.record)])) };
}

/** A server that has one person's inbox. */
export class MailServer extends FakeServer {
  readonly inbox = new Map<string, InboxWire>();
  readonly details = new Map<string, string>();
  readonly marks: string[] = [];
  /** As they were asked for. */
  readonly markBodies: { mark: string; tell: boolean; receipt: string | null }[] = [];
  readonly reports: Record<string, string>[] = [];
  readonly forwards: Record<string, string>[] = [];
  readonly acquaintances: string[] = [];
  readonly deletions: string[] = [];
  #change = 0;

  constructor(owner: Correspondent, others: readonly Correspondent[]) {
    super();
    for (const { acct, record } of [owner, ...others]) {
      this.accounts.set(acct.split("@")[0] ?? "", { records: [record], unlock: [] });
    }
    this.signedIn = owner.acct;
  }

  deliver({ id, envelopes, details }: ComposedMessage & { id: string }, changes: Partial<InboxWire> = {}): void {
    const envelope = Object.values(envelopes)[0] ?? null;
    const received_at = Date.now();
    const rest = { deleted_at: null, expires_at: null, fetched_at: null, played_at: null, video_bytes: 1000 };
    const terms = { until_played: false, may_forward: false, forwarded: false };
    this.details.set(id, details);
    this.inbox.set(id, {
      id,
      kind: "video",
      sender: "bob",
      envelope,
      received_at,
      change: ++this.#change,
      ...rest,
      ...terms,
      ...changes,
    });
  }

  readonly mailFetch: typeof this.fetch = async (input, init) => {
    const { pathname, searchParams } = new URL(input, "http://server.test");
    const posted = typeof init.body === "string" ? (JSON.parse(init.body) as Record<string, never>) : {};
    const [, noted] = /^\/api\/v1\/account\/acquaintances\/(\w+)$/.exec(pathname) ?? [];
    if (!this.isCut && noted !== undefined) {
      this.acquaintances.push(`${noted} ${posted["state"]}`);
      return new Response(null, { status: 204 });
    }
    if (!this.isCut && pathname === "/api/v1/reports") {
      this.reports.push(posted);
      return json({ id: "rep_x", created_at: 1, contact: "abuse@post.example" });
    }
    const [, room, id = "", what] = /^\/api\/v1\/(inbox|messages)(?:\/([^/]+))?(?:\/(\w+))?$/.exec(pathname) ?? [];
    if (room === undefined || this.isCut) return this.fetch(input, init);
    if (room === "inbox") return json({ items: this.#since(searchParams.get("since")), cursor: null });
    if (what === "details") return new Response(unb64(this.details.get(id) ?? ""));
    if (what === "forwards") {
      this.forwards.push(posted["envelopes"] ?? {});
      return new Response(null, { status: 204 });
    }
    if (what === "marks") return this.#mark(id, init);
    if (init.method === "DELETE") {
      this.deletions.push(id);
      this.inbox.delete(id);
      return new Response(null, { status: 204 });
    }
    return json(this.inbox.get(id));
  };

  #since(since: string | null): InboxWire[] {
    return [...this.inbox.values()].filter((item) => item.change > Number(since ?? 0));
  }

  #mark(id: string, init: RequestInit): Response {
    const body = JSON.parse(String(init.body)) as MailServer["markBodies"][number];
    const { mark } = body;
    this.markBodies.push(body);
    this.marks.push(`${mark} ${id}`);
    const item = this.inbox.get(id);
    const times = mark === "played" ? { played_at: 2, fetched_at: item?.fetched_at ?? 1 } : { fetched_at: 1 };
    if (item) this.inbox.set(id, { ...item, ...times, change: ++this.#change });
    return new Response(null, { status: 204 });
  }
}

export interface Home {
  readonly house: House;
  tell(happening: Happening): void;
}

/** As much of a house as mail needs, on this browser's database. */
export async function homeOf(owner: Correspondent, server: MailServer, database: string): Promise<Home> {
  const vault = await DeviceVault.open(owner.acct, await openDatabase(database));
  const api = new Api({ fetch: server.mailFetch, waiting: { baseMs: 5, capMs: 20, random: () => 0, sleep: nap } });
  const tools = {
    api,
    crypto: owner.crypto,
    vault,
    memory: await Memory.recall(vault),
    account: { acct: owner.acct, name: nameOf(owner.acct) },
  };
  const shards = new ShardStore({ ...tools, takeNewKeyring: () => Promise.resolve(false) });
  const listeners = new Set<(happening: Happening) => void>();
  const live = {
    isOffline: false,
    listen: (each: (happening: Happening) => void) => (listeners.add(each), () => listeners.delete(each)),
  };
  const log = new KeyLog(tools);
  const people = new People({ ...tools, shards, log });
  const { signal } = new AbortController();
  const lookForKeys = (): Promise<boolean> => Promise.resolve(false);
  const settings = { receipts: "plain", refresh: () => Promise.resolve() };
  const house = { ...tools, shards, log, people, live, settings, db: vault.db, waiting: 0, signal, lookForKeys };
  const parts = new Parts(house as unknown as House);
  Object.assign(house, { part: (Kind: new (house: House) => Part) => parts.of(Kind) });
  return {
    house: house as unknown as House,
    tell: (happening) => listeners.forEach((listener) => listener(happening)),
  };
}

async function nap(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise((resolve) => setTimeout(resolve, ms));
}
