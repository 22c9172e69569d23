/** A take that is encoded in the page, by the browser's own recorder, and kept by a worker. */

import type { Reach, TakeEncoding, TakeEnd, TakeEvent, TakeResult } from "./encode.ts";
import { deferred } from "./deferred.ts";
import { recordTake } from "./recorder-fallback.ts";
import { TakeFailed } from "./take-failed.ts";

type FromPage =
  | { is: "started" }
  | { is: "failed"; code: string }
  | { is: "bytes"; bytes: Uint8Array<ArrayBuffer> }
  | { is: "progress"; ms: number }
  | { is: "reach"; reach: Reach }
  | { is: "events"; events: readonly TakeEvent[] }
  | { is: "end"; end: TakeEnd }
  | { is: "result"; result: TakeResult };
type ToPage =
  | { do: "pause" | "resume" | "stop" | "close" | "written" | "refused" }
  | { do: "note"; kind: string; why: string | null };

/** Records in the page; the port is for the worker that keeps it. Null when this browser cannot make MP4 at all. */
export function hostTake(stream: MediaStream): MessagePort | null {
  const { port1, port2 } = new MessageChannel();
  const say = (said: FromPage, transfer: Transferable[] = []): void => port1.postMessage(said, transfer);
  let answer: ((isWritten: boolean) => void) | null = null;
  const sink = new WritableStream<Uint8Array>({
    async write(data) {
      const bytes = data.slice();
      const written = new Promise<boolean>((resolve) => (answer = resolve));
      say({ is: "bytes", bytes }, [bytes.buffer]);
      if (!(await written)) throw new DOMException("the sink takes no more", "QuotaExceededError");
    },
  });
  const take = recordTake(stream, sink);
  if (!take) return null;
  take.onProgress = (ms) => say({ is: "progress", ms });
  take.onReach = (reach) => say({ is: "reach", reach });
  take.onEvent = (events) => say({ is: "events", events });
  take.onEnd = (end) => say({ is: "end", end });
  const fail = (error: unknown): void =>
    say({ is: "failed", code: error instanceof TakeFailed ? error.code : "no-encoder" });
  take.started.then(() => say({ is: "started" }), fail);
  port1.onmessage = ({ data }: MessageEvent<ToPage>) => {
    if (data.do === "written" || data.do === "refused") answer?.(data.do === "written");
    else if (data.do === "note") take.note(data.kind, data.why);
    else if (data.do === "stop") take.stop().then((result) => say({ is: "result", result }), fail);
    else void take[data.do]();
  };
  return port2;
}

/** The worker's end of such a take. */
export class RemoteTake implements TakeEncoding {
  onProgress: TakeEncoding["onProgress"] = null;
  onReach: TakeEncoding["onReach"] = null;
  onQuality: TakeEncoding["onQuality"] = null;
  onEvent: TakeEncoding["onEvent"] = null;
  onEnd: TakeEncoding["onEnd"] = null;
  readonly started: Promise<void>;
  readonly #port: MessagePort;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #start = deferred<void>();
  readonly #result = deferred<TakeResult>();
  #isStopping = false;

  constructor(port: MessagePort, sink: WritableStream<Uint8Array>) {
    this.#port = port;
    this.#writer = sink.getWriter();
    this.started = this.#start.promise;
    this.started.catch(() => undefined);
    this.#result.promise.catch(() => undefined);
    port.onmessage = ({ data }: MessageEvent<FromPage>) => this.#hear(data);
  }

  pause(): void {
    this.#tell({ do: "pause" });
  }

  resume(): void {
    this.#tell({ do: "resume" });
  }

  note(kind: string, why: string | null): void {
    this.#tell({ do: "note", kind, why });
  }

  stop(): Promise<TakeResult> {
    if (!this.#isStopping) this.#tell({ do: "stop" });
    this.#isStopping = true;
    return this.#result.promise.finally(() => this.#writer.releaseLock());
  }

  close(): Promise<void> {
    this.#tell({ do: "close" });
    return Promise.resolve();
  }

  #hear(said: FromPage): void {
    if (said.is === "started") this.#start.resolve();
    else if (said.is === "bytes") void this.#write(said.bytes);
    else if (said.is === "progress") this.onProgress?.(said.ms);
    else if (said.is === "reach") this.onReach?.(said.reach);
    else if (said.is === "events") this.onEvent?.(said.events);
    else if (said.is === "end") this.onEnd?.(said.end);
    else if (said.is === "result") this.#result.resolve(said.result);
    else this.#fail(new TakeFailed(said.code === "no-encoder" ? "no-encoder" : "no-picture"));
  }

  #fail(failure: TakeFailed): void {
    this.#start.reject(failure);
    this.#result.reject(failure);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    const isWritten = await this.#writer.write(bytes).then(
      () => true,
      () => false,
    );
    this.#tell({ do: isWritten ? "written" : "refused" });
  }

  #tell(order: ToPage): void {
    this.#port.postMessage(order);
  }
}
