/**
 * The account's sealed notes (contacts, settings, seen ids): on the server, with a sealed copy on this device, so that neither
 * a rollback nor a loss there takes anything away. The contents are read and changed through the crypto worker.
 * Windows of one browser share the copy on this device, and tell each other when it changed.
 */

import type { CryptoService } from "../crypto/service";
import { ProtocolError } from "../protocol/errors";
import type { DeviceVault } from "../storage/keys";
import { Problem, type Api } from "../transfer/http";
import type { Memory } from "./memory";

export interface ShardTools {
  readonly api: Api;
  readonly crypto: CryptoService;
  readonly vault: DeviceVault;
  readonly memory: Memory;
  /** Goes on with the keyring that another device has made meanwhile; tells whether there was one. @throws Problem, ProtocolError */
  takeNewKeyring(): Promise<boolean>;
}

const PATH = "/api/v1/account/state/{shard}";
const TRIES = 5;
const SOON_MS = 1500;

const etagOf = (version: string): string => `"${version}"`;
const copyOf = (name: string): string => `shard ${name}`;

export class ShardStore {
  readonly #tools: ShardTools;
  /** The version on the server; null: there is none. Absent: never asked. */
  readonly #versions = new Map<string, string | null>();
  /** Shards that the server gave wrong, by code: this device keeps its own copy. */
  readonly faults = new Map<string, string>();
  /** Hears that another window of this browser changed something, once it is taken here. */
  onHeard: () => Promise<void> = () => Promise.resolve();
  readonly #listeners = new Map<string, () => Promise<void>>();
  readonly #windows: BroadcastChannel;
  /** Of which something was taken: this device's copy, the server's, or the news that there is none. */
  readonly #taken = new Set<string>();
  #work: Promise<unknown> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(tools: ShardTools) {
    this.#tools = tools;
    this.#windows = new BroadcastChannel(`restante-shards ${tools.vault.acct}`);
    this.#windows.onmessage = ({ data }: MessageEvent<string>) => void this.#hear(data);
  }

  /** Hears when a shard changed by what came from the server (after `fetch`, or by a merge when it was stored) or from another window. */
  onTaken(name: string, listener: () => Promise<void>): void {
    this.#listeners.set(name, listener);
  }

  /** Takes this device's copy: works without a network. Tells whether there was one that opens. */
  async recall(name: string): Promise<boolean> {
    const sealed = await this.#tools.vault.recall(copyOf(name));
    if (sealed === null) return false;
    try {
      await this.#tools.crypto.takeShard(name, sealed, { server: false, highestRev: 0 });
    } catch (error) {
      if (error instanceof ProtocolError && isForOtherKeys(error)) return false; // of before a new state key
      throw error;
    }
    this.#taken.add(name);
    return true;
  }

  /** Takes the server's, merged with what is known here. A wrong one is noted in `faults`. @throws Problem */
  fetch(name: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#fetch(name);
      this.#taken.add(name);
    });
  }

  /** Takes it, if nothing of it was taken yet. @throws Problem */
  async need(name: string): Promise<void> {
    if (!this.#taken.has(name)) await this.fetch(name);
  }

  /** Keeps what was learnt on this device now, and stores it on the server soon. @throws StorageError device-full */
  async keep(): Promise<void> {
    await this.#inTurn(async () => {
      for (const name of await this.#tools.crypto.pendingShards()) await this.#sealed(name);
    });
    clearTimeout(this.#timer);
    if (!this.#isClosed) this.#timer = setTimeout(() => void this.save().catch(() => undefined), SOON_MS);
  }

  /** Stores on the server what is not there yet; merges with what other devices stored. @throws Problem; the copy here is kept */
  save(): Promise<void> {
    clearTimeout(this.#timer);
    return this.#inTurn(async () => {
      for (const name of await this.#tools.crypto.pendingShards()) await this.#put(name);
    });
  }

  /** Seals what is still sealed to former state keys to the present one. @throws Problem */
  reseal(): Promise<void> {
    return this.#inTurn(async () => {
      const { items } = await this.#tools.api.get("/api/v1/account/state");
      for (const { shard } of items) await this.#reseal(shard);
    });
  }

  /** Everything is to be asked for anew: the keyring was opened anew. */
  forget(): void {
    this.#versions.clear();
    this.#taken.clear();
    this.faults.clear();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#windows.close();
  }

  /** What another window keeps is not told on: it has told everybody. Never rejects. */
  async #hear(name: string): Promise<void> {
    try {
      if (!(await this.#inTurn(() => this.recall(name)))) return;
      await this.#listeners.get(name)?.();
      await this.onHeard();
    } catch {
      // Closed or locked meanwhile; else it is taken with the server's copy.
    }
  }

  async #keepCopy(name: string, sealed: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#tools.vault.keep(copyOf(name), sealed);
    if (!this.#isClosed) this.#windows.postMessage(name);
  }

  async #fetch(name: string): Promise<void> {
    const { api, crypto } = this.#tools;
    // The list of versions first: most shards have not changed, and one that is not there is no failure.
    const { items } = await api.get("/api/v1/account/state");
    const version = items.find(({ shard }) => shard === name)?.version;
    if (version === undefined) {
      this.#versions.set(name, null);
      return crypto.noShard(name);
    }
    if (this.#versions.get(name) === etagOf(version) && !this.faults.has(name)) return;
    const { data, etag } = await api.getOctets(PATH, { path: { shard: name } });
    this.#versions.set(name, etag);
    await this.#take(name, data);
  }

  async #take(name: string, data: Uint8Array<ArrayBuffer>): Promise<void> {
    const { crypto, memory } = this.#tools;
    try {
      const rev = await crypto.takeShard(name, data, { server: true, highestRev: memory.rev(name) });
      this.faults.delete(name);
      await memory.raise(name, rev);
      await this.#listeners.get(name)?.();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      // Before anything is written over: perhaps it is sealed to a key that another device has made.
      if (isForOtherKeys(error) && (await this.#tools.takeNewKeyring())) return this.#take(name, data);
      this.faults.set(name, error.code);
      return;
    }
    // What is known here and not there yet must not be lost with a copy that lacks it.
    if ((await crypto.pendingShards()).includes(name)) await this.#sealed(name);
    else await this.#keepCopy(name, data);
  }

  async #put(name: string): Promise<void> {
    const { api, crypto, memory } = this.#tools;
    if (!this.#versions.has(name)) await this.#fetch(name);
    for (let left = TRIES; ; left -= 1) {
      const { sealed, rev } = await this.#sealed(name);
      try {
        const version = await api.putOctets(PATH, sealed, this.#versions.get(name) ?? null, { path: { shard: name } });
        this.#versions.set(name, version);
        await crypto.shardStored(name);
        await memory.raise(name, rev);
        return;
      } catch (error) {
        if (left === 0 || !(error instanceof Problem) || error.code !== "stale-version") throw error;
        await this.#fetch(name);
      }
    }
  }

  async #reseal(name: string): Promise<void> {
    const { api, crypto, memory } = this.#tools;
    for (let left = TRIES; ; left -= 1) {
      const { data, etag } = await api.getOctets(PATH, { path: { shard: name } });
      const renewed = await crypto.resealShard(name, data).catch(unlessWrong);
      if (renewed === null) return;
      try {
        this.#versions.set(name, await api.putOctets(PATH, renewed.sealed, etag, { path: { shard: name } }));
        await this.#keepCopy(name, renewed.sealed);
        return await memory.raise(name, renewed.rev);
      } catch (error) {
        if (left === 0 || !(error instanceof Problem) || error.code !== "stale-version") throw error;
      }
    }
  }

  async #sealed(name: string): Promise<{ sealed: Uint8Array<ArrayBuffer>; rev: number }> {
    const given = await this.#tools.crypto.giveShard(name);
    await this.#keepCopy(name, given.sealed);
    return given;
  }

  /** One at a time: two that store the same shard would undo each other's version. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => undefined);
    return done;
  }
}

function isForOtherKeys({ code }: ProtocolError): boolean {
  return code === "shard-damaged" || code === "shard-forged";
}

/** A shard that is not the account's own stays as it is. */
function unlessWrong(error: unknown): null {
  if (error instanceof ProtocolError) return null;
  throw error;
}
