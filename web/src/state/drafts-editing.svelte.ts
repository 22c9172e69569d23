/** What is changed in a take before it is sent: its ends, its picture in the list, its captions. */

import type { Drafts } from "../storage/drafts";
import { readCaptions, type Cue } from "../media/captions";
import { CaptionsRefused, FileRefused, setCaptions, setPoster, trimDraft } from "../take/editing";
import { failureOf, type Failure } from "./failure";

export interface Cut {
  fromMs: number;
  toMs: number;
}

/** Why a change was not made; `line` is that of a captions' file. */
export type EditFailure = Failure & { what: "trim" | "poster" | "captions"; line: number | null };

export class Editing {
  /** How far the cut is, 0 to 1; null while nothing is cut. */
  trimming: number | null = $state(null);
  failure: EditFailure | null = $state.raw(null);
  /** WebVTT. */
  captions: string | null = $state.raw(null);
  /** What was changed last: said, since it is hardly seen. */
  done: "poster" | "captions" | null = $state(null);
  readonly #drafts: Drafts;
  readonly #id: string;
  readonly #onPoster: () => Promise<void>;
  #stop: AbortController | null = null;

  /** @param onPoster the take has another picture now. */
  constructor(drafts: Drafts, id: string, onPoster: () => Promise<void> = () => Promise.resolve()) {
    this.#drafts = drafts;
    this.#id = id;
    this.#onPoster = onPoster;
  }

  /** The captions, to be shown while it is looked at. */
  get cues(): readonly Cue[] {
    return readCaptions(this.captions);
  }

  /** Really removes what lies outside. Gives the id of the take that takes this one's place; null when it stays as it was. */
  async trim(cut: Cut): Promise<string | null> {
    if (this.trimming !== null) return null;
    const stop = new AbortController();
    this.#stop = stop;
    [this.failure, this.trimming] = [null, 0];
    try {
      return await trimDraft(this.#id, cut, {
        signal: stop.signal,
        onProgress: (done) => (this.trimming = stop.signal.aborted ? null : done),
      });
    } catch (error) {
      if (!stop.signal.aborted) this.#note("trim", error);
      return null;
    } finally {
      this.trimming = null;
    }
  }

  cancel(): void {
    this.#stop?.abort(new DOMException("cancelled", "AbortError"));
  }

  /** Shows this moment in lists. */
  async pick(ms: number): Promise<void> {
    await this.#change("poster", async () => {
      await setPoster(this.#id, ms);
      await this.#onPoster();
    });
  }

  /** From WebVTT, SRT or plain lines; null takes them away. Tells whether they were taken. */
  async caption(text: string | null): Promise<boolean> {
    return this.#change("captions", async () => {
      await setCaptions(this.#id, text);
      await this.recall();
    });
  }

  /** Reads what the take has. @throws StorageError */
  async recall(): Promise<void> {
    this.captions = (await this.#drafts.get(this.#id)).content.captions ?? null;
  }

  async #change(what: "poster" | "captions", change: () => Promise<void>): Promise<boolean> {
    [this.failure, this.done] = [null, null];
    try {
      await change();
      this.done = what;
      return true;
    } catch (error) {
      this.#note(what, error);
      return false;
    }
  }

  #note(what: EditFailure["what"], error: unknown): void {
    const isOurs = error instanceof CaptionsRefused || error instanceof FileRefused;
    const line = error instanceof CaptionsRefused ? error.line : null;
    this.failure = { ...(isOurs ? { code: error.code } : failureOf(error)), what, line };
  }
}
