/** A draft that is made of a file or of another draft, as the page sees it: a recorder worker of its own does it. */

import { FILE_REFUSALS, FileRefused } from "../media/file-refused";
import { StorageError, STORAGE_CODES } from "../storage/errors";
import { noteBringer } from "./bringers";
import { startWorker } from "./link";
import type { MakingOrder, News } from "./orders";

export interface MakingProgress {
  /** 0 to 1. */
  onProgress?: (done: number) => void;
  signal?: AbortSignal;
}

/** Neither file nor storage is to blame: a worker that died (`interrupted`), a draft that is damaged (`video-…`). */
export class MakingFailed extends Error {
  override readonly name = "MakingFailed";

  constructor(readonly code: string) {
    super(code);
  }
}

/** So long a worker may take to clear away what it had begun. */
const CLEARING_MS = 10_000;

/** Carries an order out and gives the draft's id; what was made is still being brought up then. @throws FileRefused, StorageError, MakingFailed, the signal's reason */
export async function make(order: MakingOrder, { onProgress, signal }: MakingProgress): Promise<string> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const listeners = new Set<(news: News) => void>();
    const close = (): void => {
      signal?.removeEventListener("abort", cancel);
      noteBringer(order.id, null);
      worker.close();
    };
    const hear = (news: News): void => {
      if (news.type === "making") onProgress?.(news.done);
      if (news.type === "refused") reject(errorOf(news));
      if (news.type === "made") {
        signal?.removeEventListener("abort", cancel);
        resolve(news.id);
        if (order.type !== "poster") noteBringer(order.id, listen, close);
      }
      for (const listener of [...listeners]) listener(news);
      if (isOver(news, order)) close();
      // A worker that died: what it had begun is swept at the next start.
      if (news.type === "failed") reject(new MakingFailed(news.code));
    };
    const listen = (listener: (news: News) => void): (() => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    };
    const worker = startWorker(hear);
    const cancel = (): void => {
      worker.order({ type: "cancel" });
      reject(signal?.reason as Error);
      setTimeout(close, CLEARING_MS);
    };
    signal?.addEventListener("abort", cancel, { once: true });
    worker.order(order);
  });
}

function isOver(news: News, order: MakingOrder): boolean {
  if (order.type === "poster" && news.type === "made") return true;
  return news.type === "brought" || news.type === "refused" || news.type === "failed";
}

function errorOf({ code, facts }: Extract<News, { type: "refused" }>): Error {
  const storage = STORAGE_CODES.find((known) => known === code);
  if (storage !== undefined) return new StorageError(storage);
  const file = FILE_REFUSALS.find((known) => known === code);
  return file === undefined ? new MakingFailed(code) : new FileRefused(file, facts);
}
