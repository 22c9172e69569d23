/**
 * One large file that is written as it is made, so that it lies in memory at no time: into the place that the person chose, where
 * the browser lets them choose one, else into a folder of ours, from which it is handed over as a download.
 */

import { StorageError, stored } from "./errors";

export interface Archive {
  readonly writable: WritableStream<Uint8Array>;
  /** It is whole: hands it over. What was not finished is never seen. */
  finish(): Promise<void>;
}

type Picker = (wish: {
  suggestedName: string;
  types: { description: string; accept: Record<string, string[]> }[];
}) => Promise<FileSystemFileHandle>;

const FOLDER = "archives";
/** Held while a file of ours is written or handed over, so that no other tab throws it away. */
const LOCK = "restante-archive";
/** A download reads from the file after it began. */
const HANDED_OVER_MS = 10 * 60_000;

/** After a press, since a browser may ask where to. @throws DOMException AbortError, when the person chose no place; StorageError */
export async function openArchive(name: string, give: (file: Blob, name: string) => void): Promise<Archive> {
  const pick = (globalThis as { showSaveFilePicker?: Picker }).showSaveFilePicker;
  if (pick === undefined) return openOwn(name, give);
  const types = [{ description: "zip", accept: { "application/zip": [".zip"] } }];
  const handle = await pick({ suggestedName: name, types });
  return { writable: await stored(() => handle.createWritable()), finish: () => Promise.resolve() };
}

/** Throws away what earlier pages left behind, unless one of them is still at it. */
export async function dropArchives(): Promise<void> {
  await navigator.locks?.request(LOCK, { ifAvailable: true }, async (lock) => {
    if (lock !== null) await removeAll();
  });
}

async function openOwn(name: string, give: (file: Blob, name: string) => void): Promise<Archive> {
  const release = await hold();
  try {
    return await stored(async () => {
      await removeAll();
      const folder = await (await root()).getDirectoryHandle(FOLDER, { create: true });
      const handle = await folder.getFileHandle("archive.zip", { create: true });
      if (!("createWritable" in handle)) throw new StorageError("storage-unavailable");
      const drop = (): void => void removeAll().finally(release);
      const writable = watched(await handle.createWritable(), drop);
      const finish = async (): Promise<void> => {
        give(await stored(() => handle.getFile()), name);
        setTimeout(drop, HANDED_OVER_MS);
      };
      return { writable, finish };
    });
  } catch (error) {
    release();
    throw error;
  }
}

/** The same stream; `onAbort` when it is given up. */
function watched(file: FileSystemWritableFileStream, onAbort: () => void): WritableStream<Uint8Array> {
  const writer = file.getWriter();
  return new WritableStream({
    write: (piece) => writer.write(piece as Uint8Array<ArrayBuffer>),
    close: () => writer.close(),
    abort: async (reason) => {
      await writer.abort(reason).catch(() => undefined);
      onAbort();
    },
  });
}

async function hold(): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const held = navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => {
      if (lock === null) throw new StorageError("busy");
      return new Promise<void>((release) => resolve(release));
    });
    held.catch(reject);
  });
}

async function removeAll(): Promise<void> {
  await (await root()).removeEntry(FOLDER, { recursive: true }).catch(() => undefined); // there was none
}

async function root(): Promise<FileSystemDirectoryHandle> {
  return navigator.storage.getDirectory();
}
