/** The inbox: from this device at once, then in step with the server. */

import { LocalIndex } from "../storage/index";
import { Box, isGone } from "./box";
import type { House } from "./house.svelte";
import { Gaps } from "./gaps";
import { contentOf, inboxOrder, isOnce, onceLock, signedOf, type InboxWire, type Letter } from "./letters";
import { Opener, refusalOf } from "./opener";
import { phaseOf, type Phase } from "./phase";
import { Posters } from "./posters.svelte";
import { markOf } from "./receipts";
import { Reading } from "./reading";
import { Shelf } from "./shelf.svelte";
import { UNDO_MS } from "./undo";

/** So many pictures are there before they are looked at. */
const PICTURES_AHEAD = 12;

export class InboxState {
  phase: Phase = $state.raw({ kind: "loading" });
  /** In the order of the screen; what was deleted is not among them. */
  letters: readonly Letter[] = $state.raw([]);
  /** The newest that came while this page was open. */
  arrived: Letter | null = $state.raw(null);
  /** What was just deleted and can still be brought back. */
  deleted: Letter | null = $state.raw(null);
  /** The one on the screen. */
  watched: string | null = null;
  /** When the server's list was read last; null when it never was. */
  lookedAt: number | null = $state(null);
  /** Letters before which one of the same sender's may be missing. */
  gaps: ReadonlySet<string> = $state.raw(new Set());
  readonly posters = new Posters();
  readonly #house: House;
  readonly #index: LocalIndex<Letter>;
  readonly #box: Box<InboxWire, Letter>;
  readonly #opener: Opener;
  readonly #reading: Reading;
  readonly #gaps: Gaps;
  readonly #loaded: Promise<void>;
  readonly #shelf: Shelf;
  readonly #closed = new AbortController();
  readonly #stopCounting: () => void;
  #undoTimer: ReturnType<typeof setTimeout> | undefined;
  #isCaughtUp = false;

  constructor(house: House) {
    this.#house = house;
    this.#index = new LocalIndex(house.vault, "inbox");
    this.#opener = new Opener(house);
    this.#gaps = new Gaps(house);
    this.#shelf = house.part(Shelf);
    this.#shelf.onChange = () => this.#show();
    this.#box = new Box<InboxWire, Letter>({
      index: this.#index,
      list: async (query) => house.api.get("/api/v1/inbox", { query: { ...query, envelopes: "inline" } }),
      one: async (id) => this.#fetched(id),
      take: async (item, known) => this.#take(item, known),
      isFailed: (letter) => letter.code !== null,
      onChange: () => this.#show(),
    });
    this.#reading = new Reading(house, this.#box, (phase) => this.#note(phase));
    addEventListener("pagehide", () => this.#endUndo(), { signal: this.#closed.signal });
    this.#stopCounting = $effect.root(() => {
      $effect(() => this.#count());
    });
    this.#loaded = this.#load();
  }

  /** Settles when what this device kept is shown. */
  get loaded(): Promise<void> {
    return this.#loaded;
  }

  letter(id: string): Letter | null {
    return this.#box.get(id) ?? null;
  }

  /** The address of its picture, once that was fetched from this device: which this asks for. */
  picture({ id, content }: Letter): string | null {
    if (content?.posterType) this.posters.want(id, content.posterType, async () => this.#index.poster(id));
    return this.posters.url(id);
  }

  /** Finds a letter that is not in the list yet. @throws Problem */
  async find(id: string): Promise<Letter> {
    await this.#loaded;
    const known = this.#box.get(id);
    if (known && known.code === null) return known;
    await this.#box.put(await this.#take(await this.#fetched(id), undefined));
    await this.#opener.keep();
    const found = this.#box.get(id);
    if (!found) throw new TypeError("a letter that was put is gone");
    return found;
  }

  /** Reads the server's list again. */
  refresh(): void {
    this.#reading.want();
  }

  /** It was played here: the sender is told. */
  async played(id: string): Promise<void> {
    const letter = this.#box.get(id);
    if (!letter || letter.playedAt !== null) return;
    const spent = isOnce(letter) ? { isSpent: true as const } : {};
    await this.#box.put({ ...letter, ...spent, playedAt: Date.now(), owes: "played" });
    await this.#payMarks();
  }

  /** Deletes one's own copy. The server is asked when it can no longer be taken back. */
  delete(id: string): void {
    this.#endUndo();
    const letter = this.#box.get(id);
    if (!letter) return;
    this.deleted = letter;
    void this.#setDropped(id, true);
    this.#undoTimer = setTimeout(() => this.#endUndo(), UNDO_MS);
  }

  /** It was to be watched once, and was: it goes for good, unless another window still shows it. Never rejects. */
  async spend(id: string): Promise<void> {
    await navigator.locks
      .request(onceLock(id), { ifAvailable: true }, async (lock) => {
        if (lock === null) return;
        await this.#setDropped(id, true);
        await this.#payMarks();
        await this.#payDeletion(id);
      })
      .catch((error: unknown) => this.#later(error));
  }

  undo(): void {
    clearTimeout(this.#undoTimer);
    const letter = this.deleted;
    this.deleted = null;
    if (letter) void this.#setDropped(letter.id, false);
  }

  close(): void {
    this.#endUndo();
    this.#stopCounting();
    this.#closed.abort();
    this.#shelf.onChange = () => undefined;
    this.#reading.close();
    this.posters.close();
  }

  async #load(): Promise<void> {
    try {
      await this.#box.load();
    } catch (error) {
      this.phase = phaseOf(error);
    }
    this.#reading.want();
  }

  async #fetched(id: string): Promise<InboxWire> {
    const extras = { path: { message_id: id }, query: { box: "inbox" } };
    return (await this.#house.api.get("/api/v1/messages/{message_id}", extras)) as InboxWire;
  }

  async #take(item: InboxWire, known: Letter | undefined): Promise<Letter> {
    const { id, received_at: receivedAt, fetched_at: fetchedAt, played_at: playedAt } = item;
    if (known && known.code === null) {
      const owes = playedAt !== null || (fetchedAt !== null && known.owes === "fetched") ? null : known.owes;
      return { ...known, fetchedAt: fetchedAt ?? known.fetchedAt, playedAt: playedAt ?? known.playedAt, owes };
    }
    const base = { id, receivedAt, fetchedAt, playedAt, isDropped: known?.isDropped ?? false };
    try {
      const { envelope, details } = await this.#opener.received(item);
      const { poster } = details;
      if (poster) await this.posters.keep(this.#index, id, poster);
      const from = envelope.trust === "unsigned" ? null : (envelope.fields.from?.acct ?? null);
      const owes = fetchedAt === null ? "fetched" : null;
      const signed = from === null ? null : signedOf(envelope);
      return { ...base, from, content: contentOf(envelope, details), code: null, owes, ...(signed && { signed }) };
    } catch (error) {
      const code = refusalOf(error);
      if (code === null) throw error;
      return { ...base, from: null, content: null, code, owes: null };
    }
  }

  #note(phase: Phase): void {
    this.phase = phase;
    if (phase.kind !== "ready") return;
    this.#isCaughtUp = true;
    this.lookedAt = Date.now();
    void this.#settle();
  }

  /** What follows a reading; nothing of it keeps the list from being shown. */
  async #settle(): Promise<void> {
    try {
      await this.#opener.keep();
      await this.#box.noteFirst(this.letters.map(({ id }) => id));
      await this.#payMarks();
      await this.#payDeletions();
      for (const { id, isSpent } of [...this.#box.all]) if (isSpent) await this.spend(id);
      await this.#lookForGaps();
    } catch (error) {
      if (!this.#house.signal.aborted) this.#later(error);
    }
  }

  /** What is found not to follow a gap is never looked at again. */
  async #lookForGaps(): Promise<void> {
    const open = [...this.#box.all].filter(({ content }) => content?.prev !== undefined);
    const whole = await this.#gaps.whole(open, (id) => this.#box.wasListed(id));
    await this.#box.put(...whole.flatMap(({ id }) => withoutPrev(this.#box.get(id))));
    const known = new Set(whole);
    this.gaps = new Set(open.filter((letter) => !known.has(letter)).map(({ id }) => id));
  }

  /** Marks and deletions stay owed in the index, so the next reading pays them. */
  #later(error: unknown): void {
    const phase = phaseOf(error);
    if (phase.kind === "offline") this.phase = phase;
  }

  #show(): void {
    const shown = [...this.#box.all].filter((letter) => !letter.isDropped && !this.#isOver(letter)).sort(inboxOrder);
    void this.#shelf.attend(shown);
    const before = new Set(this.letters.map((letter) => letter.id));
    const fresh = shown.filter((letter) => !before.has(letter.id) && this.#isWaiting(letter));
    if (this.#isCaughtUp && fresh.length > 0) this.arrived = fresh[0] ?? null;
    this.letters = shown;
    for (const letter of shown.slice(0, PICTURES_AHEAD)) this.picture(letter);
  }

  /** Anew whenever somebody is blocked or let in again, in this window or on another device. */
  #count(): void {
    this.#house.waiting = this.letters.filter((letter) => this.#isWaiting(letter)).length;
  }

  #isWaiting({ id, from, playedAt }: Letter): boolean {
    const isBlocked = from !== null && this.#house.people.standing(from) === "blocked";
    return playedAt === null && !isBlocked && !this.#shelf.isArchived(id);
  }

  /** Watched once, here or elsewhere, and not on the screen now. */
  #isOver(letter: Letter): boolean {
    return isOnce(letter) && letter.playedAt !== null && letter.id !== this.watched;
  }

  /** By what the owner chose last, on whichever device or in whichever window. */
  async #payMarks(): Promise<void> {
    const owing = [...this.#box.all].filter(({ owes }) => owes !== null);
    if (owing.length > 0) await this.#house.settings.refresh();
    for (const letter of owing) {
      if (letter.owes === null) continue;
      const mark = letter.owes;
      await this.#mark(letter.id, mark);
      const now = this.#box.get(letter.id);
      if (now?.owes === mark) await this.#box.put({ ...now, fetchedAt: now.fetchedAt ?? Date.now(), owes: null });
    }
  }

  async #mark(id: string, mark: "fetched" | "played"): Promise<void> {
    try {
      const letter = this.#box.get(id);
      if (!letter) return;
      const body = await markOf(this.#house, letter, mark);
      await this.#house.api.post("/api/v1/messages/{message_id}/marks", body, { path: { message_id: id } });
    } catch (error) {
      if (!isGone(error)) throw error; // its sender took it back: the next reading removes it
    }
  }

  #endUndo(): void {
    clearTimeout(this.#undoTimer);
    const letter = this.deleted;
    if (!letter) return;
    this.deleted = null;
    void this.#payDeletion(letter.id).catch((error: unknown) => this.#later(error));
  }

  /** Noted at once, so that a page that is killed or a network that is gone does not bring it back. */
  async #setDropped(id: string, isDropped: boolean): Promise<void> {
    const letter = this.#box.get(id);
    if (letter) await this.#box.put({ ...letter, isDropped }).catch(() => undefined); // then only this page knows
  }

  async #payDeletions(): Promise<void> {
    for (const { id, isDropped } of [...this.#box.all])
      if (isDropped && id !== this.deleted?.id) await this.#payDeletion(id);
  }

  async #payDeletion(id: string): Promise<void> {
    await this.#askToDelete(id);
    await this.#box.drop(id);
  }

  async #askToDelete(id: string): Promise<void> {
    const url = `/api/v1/messages/${encodeURIComponent(id)}?for=me`;
    try {
      await this.#house.api.request("DELETE", url, { keepalive: true });
    } catch (error) {
      if (!isGone(error)) throw error;
    }
    this.posters.drop(id);
  }
}

function withoutPrev(letter: Letter | undefined): Letter[] {
  if (!letter?.content) return [];
  const { prev: _, ...content } = letter.content;
  return [{ ...letter, content }];
}
