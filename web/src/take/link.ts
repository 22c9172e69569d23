/** A recorder worker as its page sees it. */

import { scriptUrl } from "../protocol/trusted";
import type { News, Order } from "./orders";
import workerUrl from "./worker?worker&url";

export interface WorkerLink {
  order(order: Order, transfer?: Transferable[]): void;
  /** Ends the worker at once; what it kept stays. */
  close(): void;
}

/** Starts a worker, or takes the one that was prepared; a fault of the worker itself is news of the kind `failed`, too. */
export function startWorker(onNews: (news: News) => void): WorkerLink {
  const link = prepared ?? newWorker();
  prepared = null;
  link.onNews = onNews;
  return link;
}

/** Has a worker ready for the next take, with its encoder loaded. What it gives lets an unused one go. */
export function prepareWorker(): () => void {
  const link = (prepared ??= newWorker());
  link.onNews = () => (prepared = prepared === link ? null : prepared); // it can only have failed
  link.order({ type: "prepare" });
  return () => {
    if (prepared !== link) return;
    prepared = null;
    link.close();
  };
}

let prepared: Link | null = null;

interface Link extends WorkerLink {
  onNews: (news: News) => void;
}

function newWorker(): Link {
  const worker = new Worker(scriptUrl(workerUrl), { type: "module", name: "take" });
  worker.onmessage = (event: MessageEvent<News>) => link.onNews(event.data);
  worker.onerror = worker.onmessageerror = () => link.onNews({ type: "failed", code: "interrupted" });
  const link: Link = {
    onNews: () => undefined,
    order: (order, transfer = []) => worker.postMessage(order, transfer),
    close: () => worker.terminate(),
  };
  return link;
}
