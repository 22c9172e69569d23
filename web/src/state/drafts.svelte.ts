/** The takes that lie on this device: found at the start, kept until they are sent, saved or given up. */

import { unb64, utf8 } from "../protocol/encoding";
import { Drafts, type DraftWish } from "../storage/drafts";
import { discardDraft, findDrafts, onceFree, sweepSpools, takeBackUploads, type FoundDraft } from "../take/recovery";
import type { Take } from "../take/take";
import { failureOf } from "./failure";
import type { House } from "./house.svelte";
import { Posters } from "./posters.svelte";
import { SendingState } from "./sending.svelte";
import { UNDO_MS } from "./undo";

export type { FoundDraft } from "../take/recovery";

/** For whom a take was begun, and which of their messages it answers. */
export interface Answer {
  readonly to: string;
  readonly replyTo: string | null;
}

/** Stands for a person where a take was begun as the greeting of one's own page. */
export const GREETING = "greeting";

const answerName = (id: string): string => `answer ${id}`;

export class DraftsState {
  /** All that lie here, the newest first; what was just given up is not among them. */
  all: readonly FoundDraft[] = $state.raw([]);
  /** Whether this device was looked through. */
  isLooked = $state(false);
  /** Those that wait for a person, the newest first. */
  kept: readonly FoundDraft[] = $state.raw([]);
  /** What was just given up and can still be brought back. */
  deleted: FoundDraft | null = $state.raw(null);
  readonly posters = new Posters();
  readonly #house: House;
  readonly #sending: SendingState;
  /** Takes of this page whose worker still brings them up. */
  readonly #takes = new Map<string, Take>();
  /** By the take's id. */
  readonly #answers = new Map<string, Answer>();
  /** For whom, with which line, as it stood when another draft took the place. */
  readonly #typed = new Map<string, DraftWish>();
  readonly #awaited = new Set<string>();
  readonly #closed = new AbortController();
  #undoTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(house: House) {
    this.#house = house;
    this.#sending = house.part(SendingState);
    this.#sending.onEnd = (id) => {
      if (this.#sending.get(id) !== null) this.#forgetAnswer(id); // else it waits for a person again
      void this.refresh();
    };
    const { signal } = this.#closed;
    addEventListener("pagehide", () => this.#endUndo(), { signal });
    document.addEventListener("visibilitychange", () => document.hidden || void this.refresh(), { signal });
    void this.#begin();
  }

  /** A take of this page: it is offered here when it is kept. */
  adopt(take: Take, answer: Answer | null): void {
    this.#takes.set(take.id, take);
    if (answer !== null) this.#noteAnswer(take.id, answer);
  }

  /** Whom and what a draft answers. */
  answering(id: string): Answer | null {
    return this.#answers.get(id) ?? null;
  }

  /** The same, also for a take of an earlier page. Never rejects. */
  async recallAnswer(id: string): Promise<Answer | null> {
    const kept = this.#answers.has(id) ? null : await this.#house.vault.recall(answerName(id)).catch(() => null);
    if (kept !== null) this.#answers.set(id, JSON.parse(new TextDecoder().decode(kept)) as Answer);
    return this.answering(id);
  }

  /** The newest take that waits for a person and was begun for somebody. Never rejects. */
  async begunFor(to: string): Promise<FoundDraft | null> {
    await this.refresh();
    for (const draft of this.kept) {
      if (draft.kind !== "evicted" && (await this.recallAnswer(draft.id))?.to === to) return draft;
    }
    return null;
  }

  /** What was typed for a draft before it got this id. */
  typed(id: string): DraftWish | null {
    return this.#typed.get(id) ?? null;
  }

  /** A recovered or cut take has another id. */
  moved(from: string, to: string, typed: DraftWish): void {
    const answers = this.#answers.get(from);
    if (answers !== undefined) this.#noteAnswer(to, answers);
    this.#forgetAnswer(from);
    if (typed.to.length > 0 || typed.caption !== "") this.#typed.set(to, typed);
    void this.refresh();
  }

  /** Looks again at what lies here. Never rejects. */
  async refresh(): Promise<void> {
    try {
      const found = await findDrafts(this.#house.account.acct, this.#house.db);
      if (this.#closed.signal.aborted) return;
      this.all = found.filter(({ id }) => id !== this.deleted?.id);
      this.kept = this.all.filter((draft) => this.#isOffered(draft));
      this.isLooked = true;
      for (const draft of this.all) this.#attend(draft);
      for (const { id } of this.all) this.posters.want(id, "image/webp", async () => this.#poster(id));
    } catch (error) {
      if (!this.#closed.signal.aborted) console.warn("drafts", failureOf(error).code);
    }
  }

  /** Gives a draft up; until `UNDO_MS` have passed it can be brought back. */
  delete(id: string): void {
    this.#endUndo();
    this.deleted = this.all.find((draft) => draft.id === id) ?? null;
    if (this.deleted === null) return;
    this.#sending.stop(id); // or it would be sent while it can still be brought back
    this.kept = this.kept.filter((draft) => draft.id !== id);
    this.all = this.all.filter((draft) => draft.id !== id);
    this.#undoTimer = setTimeout(() => this.#endUndo(), UNDO_MS);
  }

  undo(): void {
    clearTimeout(this.#undoTimer);
    this.deleted = null;
    void this.refresh();
  }

  /** Gives a draft up at once, for good. @throws StorageError busy */
  async discard(id: string): Promise<void> {
    this.#sending.stop(id);
    const take = this.#takes.get(id);
    this.#takes.delete(id);
    this.posters.drop(id);
    await (take ? take.discard() : discardDraft(id));
    this.#forgetAnswer(id);
    await this.refresh();
  }

  close(): void {
    this.#endUndo();
    this.#closed.abort();
    this.posters.close();
    for (const take of this.#takes.values()) take.close();
  }

  /** Kept as sealed as the take, which has no record yet while it is recorded. */
  #noteAnswer(id: string, answer: Answer): void {
    this.#answers.set(id, answer);
    void this.#house.vault.keep(answerName(id), utf8(JSON.stringify(answer))).catch(() => undefined);
  }

  #forgetAnswer(id: string): void {
    void this.#house.vault.drop(answerName(id)).catch(() => undefined);
  }

  async #begin(): Promise<void> {
    await this.refresh();
    await takeBackUploads(this.#house.account.acct).catch(() => undefined); // next time
    await sweepSpools().catch(() => undefined);
  }

  #isOffered({ id, kind }: FoundDraft): boolean {
    if (this.#sending.get(id) !== null) return false;
    if (kind === "elsewhere") return this.#takes.get(id)?.state.phase === "kept";
    return kind !== "sending";
  }

  #attend({ id, kind }: FoundDraft): void {
    if (kind === "sending" && this.#sending.get(id) === null) void this.#sending.resume(id);
    if (kind !== "elsewhere" || this.#awaited.has(id)) return;
    this.#awaited.add(id);
    onceFree(id, this.#closed.signal).then(
      () => {
        this.#awaited.delete(id);
        void this.refresh();
      },
      () => undefined, // closed
    );
  }

  async #poster(id: string): Promise<Uint8Array<ArrayBuffer> | null> {
    const { poster } = (await new Drafts(this.#house.db).get(id)).content;
    return poster === null ? null : unb64(poster.data);
  }

  #endUndo(): void {
    clearTimeout(this.#undoTimer);
    const draft = this.deleted;
    if (draft === null) return;
    this.deleted = null;
    this.discard(draft.id).catch((error: unknown) => {
      console.warn("a draft stays", failureOf(error).code);
      void this.refresh();
    });
  }
}
