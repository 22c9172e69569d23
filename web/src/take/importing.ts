/** A video file becomes a draft: converted on this device, sealed, kept and brought up while it is converted. */

import { newId } from "../protocol/ids";
import { askToPersist } from "../storage/db";
import type { DraftCall } from "../storage/drafts";
import { make, type MakingProgress } from "./making";

export { FileRefused } from "../media/file-refused";

export interface ImportOptions extends MakingProgress {
  acct: string;
  /** Which stretch of the file; without it all of it, which may then not be longer than three minutes. */
  cut?: { fromMs: number; toMs: number };
  /** A file whose sound this browser cannot decode is refused, unless it may be left out. */
  sound?: "keep" | "leave-out";
  nowMs?: () => number;
  /** By whose leave it goes up, without an account. */
  call?: DraftCall | undefined;
}

/**
 * Turns a file into a draft of the kind `kept` and gives its id. Nothing is left of one that was cancelled or refused.
 * @throws FileRefused, StorageError device-full, the signal's reason
 */
export async function importFile(file: Blob, options: ImportOptions): Promise<string> {
  const { acct, cut = null, sound = "keep", nowMs = Date.now, call } = options;
  const whose = { id: newId("msg"), acct, createdMs: nowMs(), ...(call && { call }) };
  const order = { type: "import", ...whose, file, cut, sound } as const;
  const id = await make(order, options);
  void askToPersist();
  return id;
}
