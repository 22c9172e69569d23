/**
 * Videos that were watched here, as the server has them: sealed to message keys that lie in the sealed index. In parts, so that one that was
 * seen half is kept half. Takes come first: there is a limit, which falls when room is scarce.
 */

import { PART_BYTES } from "../protocol/limits";
import { ofAccount, roomBytes, type Database, type KeptRow } from "./db";
import { stored } from "./errors";

/** More than this is never kept, nor more than a quarter of what the browser has for us. */
const MOST_BYTES = 500_000_000;

interface Owner {
  readonly db: Database;
  readonly acct: string;
}

export class KeptVideos {
  readonly #owner: Owner;

  constructor(owner: Owner) {
    this.#owner = owner;
  }

  /** The ids of those that are here whole. */
  async whole(): Promise<Set<string>> {
    return new Set((await this.#rows()).filter(isWhole).map(({ id }) => id));
  }

  /** A part that is here, else null. */
  async part(id: string, number: number): Promise<Uint8Array<ArrayBuffer> | null> {
    const { db, acct } = this.#owner;
    return (await stored(() => db.get("parts", [acct, id, number])))?.data ?? null;
  }

  /**
   * Begins to keep a video, or notes that it is watched again; those watched longest ago make room. False when it is too large for this
   * device.
   */
  async admit(id: string, size: number, usedMs: number): Promise<boolean> {
    const rows = await this.#rows();
    const others = rows.filter((row) => row.id !== id).sort((one, other) => one.usedMs - other.usedMs);
    const total = rows.reduce((sum, row) => sum + bytesOf(row), 0);
    const limit = Math.min(MOST_BYTES, ((await roomBytes()) + total) / 4);
    if (size > limit) return false;
    let used = others.reduce((sum, row) => sum + bytesOf(row), size);
    for (const oldest of others) {
      if (used <= limit) break;
      await this.drop(oldest.id);
      used -= bytesOf(oldest);
    }
    const { db, acct } = this.#owner;
    await stored(async () => {
      const work = db.transaction("kept", "readwrite");
      const known = await work.store.get([acct, id]);
      await work.store.put({ acct, id, size, has: known?.has ?? 0, usedMs });
      await work.done;
    });
    return true;
  }

  /** Keeps a part of a video that was admitted; tells whether all of it is here now. @throws StorageError device-full */
  async put(id: string, number: number, data: Uint8Array<ArrayBuffer>): Promise<boolean> {
    const { db, acct } = this.#owner;
    return stored(async () => {
      const work = db.transaction(["kept", "parts"], "readwrite");
      const row = await work.objectStore("kept").get([acct, id]);
      const place: [string, string, number] = [acct, id, number];
      const isNew = (await work.objectStore("parts").getKey(place)) === undefined;
      if (row && isNew) {
        row.has += 1;
        await work.objectStore("parts").put({ acct, id, part: number, data });
        await work.objectStore("kept").put(row);
      }
      await work.done;
      return row !== undefined && isWhole(row);
    });
  }

  async drop(id: string): Promise<void> {
    const { db, acct } = this.#owner;
    await stored(async () => {
      const work = db.transaction(["kept", "parts"], "readwrite");
      await Promise.all([
        work.objectStore("kept").delete([acct, id]),
        work.objectStore("parts").delete(ofAccount(acct, id)),
        work.done,
      ]);
    });
  }

  /** Drops every video that is not among these. */
  async keepOnly(ids: ReadonlySet<string>): Promise<void> {
    for (const { id } of await this.#rows()) if (!ids.has(id)) await this.drop(id);
  }

  #rows(): Promise<KeptRow[]> {
    const { db, acct } = this.#owner;
    return stored(() => db.getAll("kept", ofAccount(acct)));
  }
}

function isWhole({ size, has }: KeptRow): boolean {
  return has >= Math.ceil(size / PART_BYTES);
}

function bytesOf({ size, has }: KeptRow): number {
  return Math.min(size, has * PART_BYTES);
}
