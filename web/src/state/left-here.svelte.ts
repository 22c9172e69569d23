/** What somebody recorded here and did not send, whose session was ended from elsewhere: it can still be saved as files. */

import { exportDraft } from "../take/export";
import { findDrafts, hasDrafts, type FoundDraft } from "../take/recovery";
import { fileName, giveFile } from "./downloads";
import { failureOf, type Failure } from "./failure";
import { nameOf } from "../protocol/names";

/** Whether there is anything. Never rejects. */
export async function isLeft(acct: string): Promise<boolean> {
  return hasDrafts(acct).catch(() => false);
}

export class LeftHere {
  /** The newest first; null while this device is looked through. */
  all: readonly FoundDraft[] | null = $state.raw(null);
  failure: Failure | null = $state.raw(null);
  readonly #acct: string;

  constructor(acct: string) {
    this.#acct = acct;
  }

  /** Never rejects: `failure` tells. */
  look(): Promise<void> {
    return this.#telling(async () => {
      const found = await findDrafts(this.#acct);
      this.all = found.filter(({ kind }) => kind !== "evicted");
    });
  }

  /** Never rejects: `failure` tells. */
  save(id: string): Promise<void> {
    return this.#telling(async () => {
      const draft = this.all?.find((each) => each.id === id);
      if (draft) giveFile(await exportDraft(id), fileName(nameOf(this.#acct), draft.createdMs));
    });
  }

  async #telling(work: () => Promise<void>): Promise<void> {
    try {
      this.failure = null;
      await work();
    } catch (error) {
      this.failure = failureOf(error);
    }
  }
}
