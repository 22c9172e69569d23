/** Who works on a draft: one tab at a time, by Web Locks, which the browser lets go when a tab dies, however it dies. */

import { StorageError } from "./errors";

const PREFIX = "restante-draft ";

/**
 * Holds a draft while `work` runs. A tab that was just closed lets go a moment later, so `patienceMs` may be given.
 * @throws StorageError busy, when another tab has it
 */
export async function holding<T>(id: string, work: () => Promise<T>, patienceMs = 0): Promise<T> {
  const patience = patienceMs === 0 ? { ifAvailable: true } : { signal: AbortSignal.timeout(patienceMs) };
  let isMine = false;
  try {
    return await navigator.locks.request(`${PREFIX}${id}`, patience, async (lock) => {
      if (lock === null) throw new StorageError("busy");
      isMine = true;
      return work();
    });
  } catch (error) {
    if (!isMine && error instanceof DOMException) throw new StorageError("busy", { cause: error });
    throw error;
  }
}

/** Settles when no tab holds a draft any more, so that it can be offered here. */
export async function onceFree(id: string, signal: AbortSignal): Promise<void> {
  await navigator.locks.request(`${PREFIX}${id}`, { signal, mode: "shared" }, () => undefined);
}

/** The drafts that some tab or worker holds now. */
export async function heldDrafts(): Promise<ReadonlySet<string>> {
  const { held = [] } = await navigator.locks.query();
  const names = held.map((lock) => lock.name ?? "").filter((name) => name.startsWith(PREFIX));
  return new Set(names.map((name) => name.slice(PREFIX.length)));
}
