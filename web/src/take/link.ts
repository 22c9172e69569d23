/** A recorder worker as its page sees it. */

import { scriptUrl } from "../protocol/trusted";
import type { News, Order } from "./orders";
import workerUrl from "./worker?worker&url";

export interface WorkerLink {
  order(order: Order, transfer?: Transferable[]): void;
  /** Ends the worker at once; what it kept stays. */
  close(): void;
}

/** Starts a worker; a fault of the worker itself is news of the kind `failed`, too. */
export function startWorker(onNews: (news: News) => void): WorkerLink {
  const worker = new Worker(scriptUrl(workerUrl), { type: "module", name: "take" });
  worker.onmessage = (event: MessageEvent<News>) => onNews(event.data);
  worker.onerror = () => onNews({ type: "failed", code: "interrupted" });
  return {
    order: (order, transfer = []) => worker.postMessage(order, transfer),
    close: () => worker.terminate(),
  };
}
