/** Who works on a draft: one tab at a time, by Web Locks, which the browser lets go when a tab dies, however it dies. */

import { StorageError } from "./errors";

const PREFIX = "restante-draft ";

/** Holds a draft while `work` runs. @throws StorageError busy, when another tab has it */
export async function holding<T>(id: string, work: () => Promise<T>): Promise<T> {
  return navigator.locks.request(`${PREFIX}${id}`, { ifAvailable: true }, async (lock) => {
    if (lock === null) throw new StorageError("busy");
    return work();
  });
}

/** The drafts that some tab or worker holds now. */
export async function heldDrafts(): Promise<ReadonlySet<string>> {
  const { held = [] } = await navigator.locks.query();
  const names = held.map((lock) => lock.name ?? "").filter((name) => name.startsWith(PREFIX));
  return new Set(names.map((name) => name.slice(PREFIX.length)));
}
