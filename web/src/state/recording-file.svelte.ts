/** A video file in the place of a recording: converted here, with its progress and what hinders it. */

import { StorageError } from "../storage/errors";
import { FileRefused, importFile } from "../take/importing";
import type { FileFacts } from "../media/file-refused";
import type { BoothHost } from "./booth-host";

/** How a file may be taken when it cannot be taken whole. */
export interface FileWish {
  /** Only so much of its beginning. */
  firstMs?: number;
  /** Without its sound. */
  isSilent?: boolean;
}

export type TakenFile =
  /** 0 to 1. */
  { kind: "importing"; name: string; done: number } | { kind: "file-refused"; code: string; facts: FileFacts };

export class FileTaking {
  /** The last one, which may be taken another way. */
  file: File | null = null;
  readonly #host: Pick<BoothHost, "acct" | "call">;
  readonly #show: (booth: TakenFile) => void;
  #stop: AbortController | null = null;

  constructor(host: Pick<BoothHost, "acct" | "call">, show: (booth: TakenFile) => void) {
    this.#host = host;
    this.#show = show;
  }

  /** Gives the draft's id; null when it was cancelled, or refused, which is shown. */
  async take(file: File, { firstMs, isSilent = false }: FileWish): Promise<string | null> {
    this.cancel();
    const stop = new AbortController();
    this.#stop = stop;
    this.file = file;
    const { name } = file;
    const onProgress = (done: number): void => {
      if (!stop.signal.aborted) this.#show({ kind: "importing", name, done });
    };
    onProgress(0);
    try {
      return await importFile(file, {
        acct: this.#host.acct,
        call: this.#host.call,
        onProgress,
        signal: stop.signal,
        sound: isSilent ? "leave-out" : "keep",
        ...(firstMs !== undefined && { cut: { fromMs: 0, toMs: firstMs } }),
      });
    } catch (error) {
      if (!stop.signal.aborted) this.#show({ kind: "file-refused", ...reasonOf(error) });
      return null;
    }
  }

  cancel(): void {
    this.#stop?.abort(new DOMException("cancelled", "AbortError"));
    this.#stop = null;
  }
}

function reasonOf(error: unknown): { code: string; facts: FileFacts } {
  if (error instanceof FileRefused) return { code: error.code, facts: error.facts };
  if (error instanceof StorageError) return { code: error.code, facts: {} };
  console.warn("a file", error);
  return { code: "file-damaged", facts: {} };
}
