/** What an account keeps on a trusted device: its unlocked keyring and its memory (pins, highest revisions), each under a name. */

import { openDatabase, ofAccount, type Database } from "./db";
import { stored } from "./errors";
import { newDeviceKey, openBytes, sealBytes, type Sealed } from "./sealing";

const KEYRING = "keyring";
/** Begins the name of words on their way. */
export const NOTE = "note ";

/** One account's sealed drawer in this browser. */
export class DeviceVault {
  readonly #db: Database;
  readonly #key: CryptoKey;
  readonly acct: string;

  private constructor(db: Database, acct: string, key: CryptoKey) {
    this.#db = db;
    this.#key = key;
    this.acct = acct;
  }

  /** Opens the drawer, and makes it when there is none. @throws StorageError */
  static async open(acct: string, db?: Database): Promise<DeviceVault> {
    const opened = db ?? (await openDatabase());
    return new DeviceVault(opened, acct, await deviceKey(opened, acct));
  }

  /** Keeps bytes under a name. @throws StorageError device-full */
  async keep(name: string, plain: Uint8Array<ArrayBuffer>): Promise<void> {
    const sealed = await this.seal(`vault ${name}`, plain);
    await stored(() => this.#db.put("vault", { acct: this.acct, name, sealed }));
  }

  /** @throws StorageError sealed-elsewhere */
  async recall(name: string): Promise<Uint8Array<ArrayBuffer> | null> {
    const kept = await stored(() => this.#db.get("vault", [this.acct, name]));
    return kept === undefined ? null : this.open(`vault ${name}`, kept.sealed);
  }

  async drop(name: string): Promise<void> {
    await stored(() => this.#db.delete("vault", [this.acct, name]));
  }

  async keepKeyring(keyring: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.keep(KEYRING, keyring);
  }

  /** Null when this device is not trusted, or the browser evicted it: sign in again. */
  async recallKeyring(): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.recall(KEYRING);
  }

  /** Seals for another store of this account; the label keeps the places apart. */
  async seal(label: string, plain: Uint8Array<ArrayBuffer>): Promise<Sealed> {
    return sealBytes(this.#key, `${this.acct} ${label}`, plain);
  }

  async open(label: string, sealed: Sealed): Promise<Uint8Array<ArrayBuffer>> {
    return openBytes(this.#key, `${this.acct} ${label}`, sealed);
  }

  get db(): Database {
    return this.#db;
  }

  close(): void {
    this.#db.close();
  }
}

/** The accounts that have a drawer here. */
export async function accountsHere(db: Database): Promise<string[]> {
  return stored(() => db.getAllKeys("keys"));
}

/**
 * Forgets an account: its key first, which makes all the rest unreadable at once. Drafts have keys of their own and stay: a take that
 * was never sent is not lost by a sign-out. Nor are words on their way: while there are any, they and the key stay for whoever signs
 * in to it again, if anybody can (`isGone`: the account is no more).
 */
export async function forgetAccount(db: Database, acct: string, isGone = false): Promise<void> {
  await stored(async () => {
    const work = db.transaction(["keys", "vault", "index", "posters", "kept", "parts"], "readwrite", {
      durability: "strict",
    });
    const vault = work.objectStore("vault");
    const rows = await vault.getAllKeys(ofAccount(acct));
    const going = isGone ? [] : rows.filter(([, name]) => name.startsWith(NOTE));
    await Promise.all([
      ...(going.length > 0 ? [] : [work.objectStore("keys").delete(acct)]),
      ...rows.filter((row) => !going.includes(row)).map(async (row) => vault.delete(row)),
      work.objectStore("index").delete(ofAccount(acct)),
      work.objectStore("posters").delete(ofAccount(acct)),
      work.objectStore("kept").delete(ofAccount(acct)),
      work.objectStore("parts").delete(ofAccount(acct)),
      work.done,
    ]);
  });
}

/** Two tabs that open it first at a time end with the same key: whoever stored it first. */
async function deviceKey(db: Database, acct: string): Promise<CryptoKey> {
  return stored(async () => {
    const kept = await db.get("keys", acct);
    if (kept !== undefined) return kept.key;
    const fresh = await newDeviceKey();
    const work = db.transaction("keys", "readwrite", { durability: "strict" });
    const other = await work.store.get(acct);
    if (other === undefined) await work.store.put({ acct, key: fresh });
    await work.done;
    return other?.key ?? fresh;
  });
}
