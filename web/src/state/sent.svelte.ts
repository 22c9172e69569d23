/** What was sent, and how far it came with each recipient. */

import { LocalIndex } from "../storage/index";
import { Box } from "./box";
import type { House } from "./house.svelte";
import { contentOf, deliveriesOf, type Delivery, type SentLetter, type SentWire } from "./letters";
import { UNDO_MS } from "./undo";
import { Opener, refusalOf } from "./opener";
import { phaseOf, type Phase } from "./phase";
import { Posters } from "./posters.svelte";
import { withReceipts } from "./receipts";
import { Reading } from "./reading";

export class SentState {
  phase: Phase = $state.raw({ kind: "loading" });
  /** The newest first. */
  letters: readonly SentLetter[] = $state.raw([]);
  /** What was just taken back, and can still be left to them. */
  taken: SentLetter | null = $state.raw(null);
  readonly posters = new Posters();
  readonly #house: House;
  readonly #index: LocalIndex<SentLetter>;
  readonly #box: Box<SentWire, SentLetter>;
  readonly #opener: Opener;
  readonly #reading: Reading;
  readonly #loaded: Promise<void>;
  readonly #closed = new AbortController();
  #undoTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(house: House) {
    this.#house = house;
    this.#index = new LocalIndex(house.vault, "sent");
    this.#opener = new Opener(house);
    this.#box = new Box<SentWire, SentLetter>({
      index: this.#index,
      list: async (query) => house.api.get("/api/v1/sent", { query: { ...query, envelopes: "inline" } }),
      one: async (id) => this.#fetched(id),
      take: async (item, known) => this.#take(item, known),
      isFailed: (letter) => letter.code !== null,
      onChange: () => this.#show(),
    });
    this.#reading = new Reading(house, this.#box, (phase) => void (this.phase = phase));
    addEventListener("pagehide", () => this.#endUndo(), { signal: this.#closed.signal });
    this.#loaded = this.#load();
  }

  letter(id: string): SentLetter | null {
    return this.letters.find((letter) => letter.id === id) ?? null;
  }

  /** The address of its picture, once that was fetched from this device: which this asks for. */
  picture({ id, content }: SentLetter): string | null {
    if (content?.posterType) this.posters.want(id, content.posterType, async () => this.#index.poster(id));
    return this.posters.url(id);
  }

  /** Finds a letter that is not in the list yet. @throws Problem */
  async find(id: string): Promise<SentLetter> {
    await this.#loaded;
    const known = this.#box.get(id);
    if (known && known.code === null) return known;
    const fresh = await this.#take(await this.#fetched(id), undefined);
    await this.#box.put(fresh);
    return fresh;
  }

  /** The last message to somebody that this device knows of. */
  async lastTo(acct: string): Promise<SentLetter | null> {
    await this.#loaded;
    return this.letters.find(({ content, deliveries }) => content && deliveries.some((to) => to.acct === acct)) ?? null;
  }

  refresh(): void {
    this.#reading.want();
  }

  /** Takes a message back from everybody. The server is asked when that can no longer be undone. */
  takeBack(id: string): void {
    this.#endUndo();
    this.taken = this.#box.get(id) ?? null;
    if (this.taken === null) return;
    this.#show();
    this.#undoTimer = setTimeout(() => this.#endUndo(), UNDO_MS);
  }

  undo(): void {
    clearTimeout(this.#undoTimer);
    this.taken = null;
    this.#show();
  }

  close(): void {
    this.#endUndo();
    this.#closed.abort();
    this.#reading.close();
    this.posters.close();
  }

  #endUndo(): void {
    clearTimeout(this.#undoTimer);
    const letter = this.taken;
    this.taken = null;
    if (letter) void this.#askToDelete(letter.id);
  }

  /** Asked so that it goes on when the page ends. What is refused stands in the list again, and `phase` says why. */
  async #askToDelete(id: string): Promise<void> {
    try {
      await this.#house.api.request("DELETE", `/api/v1/messages/${encodeURIComponent(id)}?for=everyone`, {
        keepalive: true,
      });
      this.posters.drop(id);
      await this.#box.drop(id);
    } catch (error) {
      this.phase = phaseOf(error);
      this.#show();
    }
  }

  async #load(): Promise<void> {
    try {
      await this.#box.load();
    } catch (error) {
      this.phase = phaseOf(error);
    }
    this.#reading.want();
  }

  async #fetched(id: string): Promise<SentWire> {
    const extras = { path: { message_id: id }, query: { box: "sent" } };
    return (await this.#house.api.get("/api/v1/messages/{message_id}", extras)) as SentWire;
  }

  async #take(item: SentWire, known: SentLetter | undefined): Promise<SentLetter> {
    if (known?.details !== undefined) {
      const sentTo = known.deliveries.map(({ acct }) => acct);
      return { ...known, deliveries: await this.#deliveries(item, known.details, sentTo) };
    }
    const base = { id: item.id, receivedAt: item.received_at, bytes: item.video_bytes };
    try {
      const { envelope, details } = await this.#opener.sent(item);
      if (details.poster) await this.posters.keep(this.#index, item.id, details.poster);
      const { details: sha256, sent_to: sentTo = [] } = envelope.fields;
      const deliveries = await this.#deliveries(item, sha256, sentTo);
      return { ...base, details: sha256, content: contentOf(envelope, details), code: null, deliveries };
    } catch (error) {
      const code = refusalOf(error);
      if (code === null) throw error;
      const server = this.#house.account.acct.split("@")[1] ?? "";
      const named = item.deliveries.map(({ recipient }) => `${recipient}@${server}`);
      return { ...base, content: null, code, deliveries: deliveriesOf(named, item) };
    }
  }

  #deliveries(item: SentWire, details: string, sentTo: readonly string[]): Promise<readonly Delivery[]> {
    return withReceipts(this.#house, { id: item.id, details, deliveries: deliveriesOf(sentTo, item) }, item);
  }

  #show(): void {
    const shown = [...this.#box.all].filter(({ id }) => id !== this.taken?.id);
    this.letters = shown.sort((one, other) => other.receivedAt - one.receivedAt);
  }
}
