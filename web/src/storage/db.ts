/** The one IndexedDB database of this origin: its stores, and how it is opened. */

import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import { stored, storageError } from "./errors";
import type { Sealed } from "./sealing";

/** Nothing but ids, dates, sizes and phases stands in clear; see [Note: Secrets at rest]. */
export interface Schema extends DBSchema {
  /** A key for each account that is at home in this browser. */
  keys: { key: string; value: { acct: string; key: CryptoKey } };
  /** What an account keeps here under a name: keyring, pins, settings. */
  vault: { key: [acct: string, name: string]; value: { acct: string; name: string; sealed: Sealed } };
  /** Messages as they were opened, so that a list shows without opening each again. */
  index: { key: [acct: string, box: string, id: string]; value: IndexRow };
  posters: { key: [acct: string, id: string]; value: { acct: string; id: string; sealed: Sealed } };
  drafts: { key: string; value: DraftRow };
  /** Received videos that stay here, and their parts: ciphertext as the server has it. */
  kept: { key: [acct: string, id: string]; value: KeptRow };
  parts: { key: [acct: string, id: string, part: number]; value: PartRow };
}

export interface KeptRow {
  acct: string;
  id: string;
  /** Of the whole video. */
  size: number;
  /** How many of its parts are here. */
  has: number;
  usedMs: number;
}

export interface PartRow {
  acct: string;
  id: string;
  part: number;
  data: Uint8Array<ArrayBuffer>;
}

export interface IndexRow {
  acct: string;
  box: string;
  id: string;
  sealed: Sealed;
}

export interface DraftRow {
  id: string;
  acct: string;
  createdMs: number;
  /** Counts changes, so that none is lost when page and worker change it at a time. */
  rev: number;
  /** Made for this draft alone: gone with it. */
  key: CryptoKey;
  sealed: Sealed;
}

export type Database = IDBPDatabase<Schema>;

const NAME = "restante";
const VERSION = 2;

/** Opens the database; pages and workers each have their own connection. @throws StorageError */
export async function openDatabase(name: string = NAME): Promise<Database> {
  return stored(() =>
    openDB<Schema>(name, VERSION, {
      upgrade(db, from) {
        if (from < 1) {
          db.createObjectStore("keys", { keyPath: "acct" });
          db.createObjectStore("vault", { keyPath: ["acct", "name"] });
          db.createObjectStore("index", { keyPath: ["acct", "box", "id"] });
          db.createObjectStore("posters", { keyPath: ["acct", "id"] });
          db.createObjectStore("drafts", { keyPath: "id" });
        }
        db.createObjectStore("kept", { keyPath: ["acct", "id"] });
        db.createObjectStore("parts", { keyPath: ["acct", "id", "part"] });
      },
      // A newer version of the app in another tab waits for this connection to go.
      blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
    }),
  );
}

/** Everything of one account in a store whose keys begin with it. */
export function ofAccount(acct: string, ...more: string[]): IDBKeyRange {
  return IDBKeyRange.bound([acct, ...more], [acct, ...more, []]);
}

/** Asks the browser not to evict what lies here; most grant it to installed or much used sites. */
export async function askToPersist(): Promise<boolean> {
  try {
    return (await navigator.storage.persisted()) || (await navigator.storage.persist());
  } catch {
    return false;
  }
}

/** Bytes that may still be stored here, as the browser estimates. @throws StorageError */
export async function roomBytes(): Promise<number> {
  try {
    const { quota = 0, usage = 0 } = await navigator.storage.estimate();
    return Math.max(0, quota - usage);
  } catch (error) {
    throw storageError(error);
  }
}
