/** A draft that is made of another one or of a file, as the page sees it: a worker of its own does it. */

import { FileRefused } from "../media/file-refused";
import type { MakingOrder } from "./making-orders";

export interface MakingProgress {
  /** 0 to 1. */
  onProgress?: (done: number) => void;
  signal?: AbortSignal;
}

/** Carries an order out and gives the draft's id. @throws FileRefused, StorageError, the signal's reason */
export async function make(order: MakingOrder, { signal }: MakingProgress): Promise<string> {
  signal?.throwIfAborted();
  await Promise.resolve();
  throw new FileRefused("no-encoder", {}, { cause: order });
}
