/** Which drafts are on their way up from this page: the take's own worker goes on after the recording, others get one. */

import { startWorker } from "./link";
import type { News } from "./orders";

type Listen = (listener: (news: News) => void) => () => void;

interface Bringer {
  listen: Listen;
  close: () => void;
}

const takes = new Map<string, Bringer>();

/** Notes the worker of a take that lives in this page, and how it is ended; or (null) that it is gone. */
export function noteBringer(id: string, listen: Listen | null, close: () => void = () => undefined): void {
  if (listen === null) takes.delete(id);
  else takes.set(id, { listen, close });
}

/** Whether it is a worker of this page that has a draft. */
export function isBroughtHere(id: string): boolean {
  return takes.has(id);
}

/** Ends what brings a draft up from this page, so that somebody else can have it. What it kept stays. */
export function letGo(id: string): void {
  takes.get(id)?.close();
  takes.delete(id);
}

/** Why a draft could not be brought up: `busy`, another tab is at it; else a person must help. */
export class BringingFailed extends Error {
  override readonly name = "BringingFailed";

  constructor(readonly code: string) {
    super(code);
  }
}

/** Brings a complete draft to the server. Settles when all of it is stored. @throws BringingFailed */
export async function bringUp(id: string, onNews: (news: News) => void, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    let close = (): void => undefined;
    const end = (settle: () => void): void => {
      close();
      signal.removeEventListener("abort", abort);
      settle();
    };
    const abort = (): void => end(() => reject(signal.reason as Error));
    const hear = (news: News): void => {
      onNews(news);
      if (news.type === "brought") end(resolve);
      if (news.type === "failed") end(() => reject(new BringingFailed(news.code)));
    };
    const bringer = takes.get(id);
    if (bringer !== undefined) close = bringer.listen(hear);
    else {
      const worker = startWorker(hear);
      close = () => worker.close();
      worker.order({ type: "carry", id });
    }
    signal.addEventListener("abort", abort, { once: true });
  });
}
