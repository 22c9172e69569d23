/** Brings one draft's spool to the server, whatever happens to the network, the server and the upload itself. */

import type { DraftContent, DraftUpload } from "../storage/drafts";
import type { Fetch } from "../transfer/http";
import { Problem } from "../transfer/problem";
import { Patience, WAITING, type Waiting } from "../transfer/retry";
import { createUpload, terminateUpload } from "../transfer/tus";
import { Uploader, type SpoolSource, type UploadState } from "../transfer/uploader";

/** The part of the drafts' store that is needed here. */
export interface DraftChanger {
  change(id: string, change: (content: DraftContent) => Partial<DraftContent>): Promise<{ content: DraftContent }>;
}

/** `code` is of the trouble that is being waited out; null: it goes on. */
export interface BringingNews {
  onStored(bytes: number): void;
  onTrouble(code: string | null): void;
}

export interface BringingOptions {
  id: string;
  drafts: DraftChanger;
  source: SpoolSource;
  news: BringingNews;
  /** The draft's upload, if it has one already. */
  upload?: DraftUpload | null;
  /** The right to begin one without an account. */
  call?: string | undefined;
  fetch?: Fetch;
  waiting?: Waiting;
}

const CREATION_CAP_MS = 60_000;

export class Bringing {
  /** Settles when the server has all of it; rejects when closed, or with a Problem that only a person can cure. */
  readonly done: Promise<void>;
  readonly #options: BringingOptions;
  readonly #fetch: Fetch;
  readonly #stop = new AbortController();
  #uploader: Uploader | null = null;
  #available = 0;
  #length: number | null = null;

  constructor(options: BringingOptions) {
    this.#options = options;
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
    this.done = this.#bring(options.upload ?? null);
    this.done.catch(() => undefined);
  }

  /** Tells how much of the spool is on the disk. */
  offer(available: number): void {
    this.#available = available;
    this.#uploader?.offer(available);
  }

  /** Tells that the spool is complete. */
  finish(length: number): void {
    this.#length = length;
    this.#uploader?.finish(length);
  }

  close(): void {
    this.#stop.abort(new DOMException("closed", "AbortError"));
    this.#uploader?.close();
  }

  async #bring(known: DraftUpload | null): Promise<void> {
    const patience = new Patience(this.#options.waiting ?? WAITING);
    for (let upload = known; ; upload = null) {
      const handle = upload ?? (await this.#created());
      const end = await this.#brought(handle, upload !== null);
      if (end.kind === "stored") {
        await this.#options.drafts.change(this.#options.id, () => ({ isStored: true }));
        return;
      }
      if (end.kind === "refused") throw end.problem;
      await this.#options.drafts.change(this.#options.id, () => ({ upload: null, isStored: false, request: null }));
      await this.#left(handle);
      await patience.wait(this.#stop.signal);
    }
  }

  /** An upload that is given up takes one of the few places of its account until it is taken back. */
  async #left(upload: DraftUpload): Promise<void> {
    try {
      await terminateUpload(this.#fetch, upload, this.#stop.signal);
    } catch (error) {
      if (!(error instanceof Problem)) throw error; // one that stays expires by itself
    }
  }

  async #brought(upload: DraftUpload, resumed: boolean): Promise<UploadState> {
    const { source, waiting, news } = this.#options;
    const options = { upload, source, resumed, fetch: this.#fetch, onState: (state: UploadState) => tell(news, state) };
    this.#uploader = new Uploader(waiting === undefined ? options : { ...options, waiting });
    this.#uploader.offer(this.#available);
    if (this.#length !== null) this.#uploader.finish(this.#length);
    return this.#uploader.ended;
  }

  /**
   * Every refusal to begin is waited out: room comes, old uploads go, somebody signs in. The take is kept meanwhile. A call that is
   * over comes back by no waiting.
   */
  async #created(): Promise<DraftUpload> {
    const patience = new Patience({ ...(this.#options.waiting ?? WAITING), capMs: CREATION_CAP_MS });
    for (;;) {
      try {
        const upload = await createUpload(this.#fetch, this.#stop.signal, this.#options.call);
        await this.#options.drafts.change(this.#options.id, () => ({ upload, isStored: false, request: null }));
        this.#options.news.onTrouble(null);
        return upload;
      } catch (error) {
        if (!(error instanceof Problem) || error.code === "call-over") throw error;
        this.#options.news.onTrouble(error.code);
        await patience.wait(this.#stop.signal, error.retryAfterS);
      }
    }
  }
}

function tell(news: BringingNews, state: UploadState): void {
  news.onTrouble("problem" in state ? state.problem.code : null);
  news.onStored(state.kind === "gone" ? 0 : state.offset);
}
