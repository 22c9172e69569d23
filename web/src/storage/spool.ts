/**
 * The ciphertext spool of a take in OPFS: a folder for each draft with `video.age`, two slots of a side record, and a
 * reserve that makes room for the end of a take on a full device. Only a worker can write (SyncAccessHandle); a page reads.
 */

import { StorageError, storageError, stored } from "./errors";
import { openSyncFile, type SyncFile } from "./opfs";

const ROOT = "takes";
const VIDEO = "video.age";
const RESERVE = "reserve";
const SLOTS = ["side.0", "side.1"] as const;
/** Enough for the last chunk, the padding of a live recording and a side record. */
const RESERVE_BYTES = 512 * 1024;

/** Reads bytes of a spool; what `append` returned from can be read. */
export interface SpoolReader {
  readonly size: number;
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** Appends to one spool; the only writer of its folder, in a worker. */
export class Spool implements SpoolReader {
  readonly #folder: FileSystemDirectoryHandle;
  readonly #video: SyncFile;
  readonly #slots: SyncFile[];
  #reserve: SyncFile | null;
  #size = 0;
  #side = 0;
  /** Called once when the reserve had to be used: the take must end now. */
  onFull: () => void = () => undefined;

  private constructor(folder: FileSystemDirectoryHandle, video: SyncFile, slots: SyncFile[], reserve: SyncFile) {
    this.#folder = folder;
    this.#video = video;
    this.#slots = slots;
    this.#reserve = reserve;
  }

  /** Makes an empty spool. @throws StorageError device-full, storage-unavailable */
  static async make(id: string): Promise<Spool> {
    return stored(async () => {
      const folder = await (await root()).getDirectoryHandle(id, { create: true });
      const video = await openSyncFile(folder, VIDEO);
      const slots = [await openSyncFile(folder, SLOTS[0]), await openSyncFile(folder, SLOTS[1])];
      const reserve = await openSyncFile(folder, RESERVE);
      const spool = new Spool(folder, video, slots, reserve);
      try {
        video.truncate(0);
        // Really written, since a hole may be promised and not be there.
        writeAll(reserve, new Uint8Array(RESERVE_BYTES), 0);
        reserve.flush();
      } catch (error) {
        spool.close();
        throw error;
      }
      return spool;
    });
  }

  get size(): number {
    return this.#size;
  }

  /** Writes to the end; on the disk when it returns. @throws StorageError device-full, after the reserve is used up too */
  append(data: Uint8Array): void {
    this.#roomily(() => writeAll(this.#video, data, this.#size));
    this.#size += data.length;
    this.#roomily(() => this.#video.flush());
  }

  /** Stores the side record in place of the one before the last; on the disk when it returns. */
  writeSide(record: Uint8Array): void {
    const slot = this.#slots[this.#side % SLOTS.length];
    if (slot === undefined) return;
    this.#roomily(() => {
      slot.truncate(0);
      writeAll(slot, record, 0);
      slot.flush();
    });
    this.#side += 1;
  }

  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const data = new Uint8Array(Math.max(0, Math.min(length, this.#size - offset)));
    this.#video.read(data, { at: offset });
    return Promise.resolve(data);
  }

  /** Removes what only a take in progress needs. */
  async settle(): Promise<void> {
    for (const handle of this.#slots.splice(0)) handle.close();
    this.#reserve?.close();
    this.#reserve = null;
    for (const name of [...SLOTS, RESERVE]) await this.#folder.removeEntry(name).catch(() => undefined);
  }

  close(): void {
    for (const handle of [this.#video, ...this.#slots, this.#reserve]) handle?.close();
  }

  #roomily(write: () => void): void {
    try {
      write();
    } catch (error) {
      const failure = storageError(error);
      if (!(failure instanceof StorageError) || failure.code !== "device-full" || this.#reserve === null) throw failure;
      this.#spendReserve();
      this.#tried(write);
    }
  }

  #spendReserve(): void {
    this.#reserve?.truncate(0);
    this.#reserve?.flush();
    this.#reserve?.close();
    this.#reserve = null;
    this.onFull();
  }

  #tried(write: () => void): void {
    try {
      write();
    } catch (error) {
      throw storageError(error);
    }
  }
}

function writeAll(handle: SyncFile, data: Uint8Array, at: number): void {
  for (let done = 0; done < data.length;) {
    // A copy, since a view of shared memory is no buffer source.
    const written = handle.write(data.slice(done), { at: at + done });
    if (written === 0) throw new DOMException("nothing was written", "QuotaExceededError");
    done += written;
  }
}

/** Opens a spool for reading, in a page or a worker. @throws StorageError not-on-this-device, when the browser evicted it */
export async function openSpool(id: string): Promise<SpoolReader> {
  const file = await stored(async () => (await (await folderOf(id)).getFileHandle(VIDEO)).getFile());
  return {
    size: file.size,
    read: async (offset, length) =>
      stored(async () => new Uint8Array(await file.slice(offset, offset + length).arrayBuffer())),
  };
}

/** The side records that are there, in no order. */
export async function readSides(id: string): Promise<Uint8Array<ArrayBuffer>[]> {
  const folder = await stored(() => folderOf(id));
  const sides: Uint8Array<ArrayBuffer>[] = [];
  for (const name of SLOTS) {
    try {
      const file = await (await folder.getFileHandle(name)).getFile();
      sides.push(new Uint8Array(await file.arrayBuffer()));
    } catch {
      continue; // a take that ended well has none
    }
  }
  return sides;
}

/** Removes a spool; one that is gone already is fine. */
export async function removeSpool(id: string): Promise<void> {
  await (await root()).removeEntry(id, { recursive: true }).catch((error: unknown) => {
    if (!(error instanceof DOMException && error.name === "NotFoundError")) throw storageError(error);
  });
}

/** The ids of all spools: those without a draft are left over and can go. */
export async function spoolIds(): Promise<string[]> {
  return stored(async () => {
    const ids: string[] = [];
    for await (const id of (await root()).keys()) ids.push(id);
    return ids;
  });
}

async function folderOf(id: string): Promise<FileSystemDirectoryHandle> {
  return (await root()).getDirectoryHandle(id);
}

async function root(): Promise<FileSystemDirectoryHandle> {
  return stored(async () => (await navigator.storage.getDirectory()).getDirectoryHandle(ROOT, { create: true }));
}
