/** What is on its way: it goes on whatever page is shown, and after a reload. */

import { SvelteMap } from "svelte/reactivity";
import { Drafts, type DraftWish } from "../storage/drafts";
import { BringingFailed } from "../take/bringers";
import { messageOf } from "../take/outgoing";
import { onceFree } from "../take/recovery";
import { resumeDraft, sendDraft, type Compose, type SendingState as Step } from "../take/sending";
import { isCode, failureOf, type Failure } from "./failure";
import { heldBy, type Held } from "./held";
import type { House } from "./house.svelte";
import { Opening } from "./opening";
import { SentState } from "./sent.svelte";

/** One draft on its way, or what became of it. */
export interface Sending {
  readonly id: string;
  readonly kind: "going" | "sent" | "gone" | "failed";
  /** Acct of each recipient. */
  readonly to: readonly string[];
  readonly caption: string;
  readonly keptAt: number;
  readonly durationMs: number;
  readonly totalBytes: number;
  /** Acknowledged, never rounded up. */
  readonly percent: number;
  readonly held: Held;
  readonly receivedAt: number | null;
  readonly failure: Failure | null;
}

const NOT_OPEN = "not-available-yet";

export class SendingState {
  readonly #house: House;
  readonly #all = new SvelteMap<string, Sending>();
  readonly #running = new Map<string, AbortController>();
  readonly #opening: Opening;
  /** Told when a draft is gone from this device. */
  onEnd: ((id: string) => void) | null = null;

  /** @param askMs for tests: so often the server is asked whether sending is open, while something waits for that. */
  constructor(house: House, askMs?: number) {
    this.#house = house;
    this.#opening = new Opening(house.api, () => this.#goOn(), askMs);
  }

  get(id: string): Sending | null {
    const known = this.#all.get(id);
    return known ? this.#now(known) : null;
  }

  /** Those on their way, the oldest first. */
  get going(): readonly Sending[] {
    const all = [...this.#all.values()].filter(({ kind }) => kind === "going" || kind === "failed");
    return all.map((sending) => this.#now(sending));
  }

  /** Sends a draft. Never rejects: `get` tells. */
  async send(id: string, wish: DraftWish): Promise<void> {
    await this.#run(id, wish);
  }

  /** Goes on with a draft that was to be sent. Never rejects. */
  async resume(id: string): Promise<void> {
    await this.#run(id, null);
  }

  /** Tries at once what is being waited for. */
  async retry(id: string): Promise<void> {
    this.stop(id);
    await this.resume(id);
  }

  /** Takes the wish to send back: the draft waits for a person again. Never rejects. */
  async cancel(id: string): Promise<void> {
    this.stop(id);
    const drafts = new Drafts(this.#house.db);
    await drafts.change(id, () => ({ wish: null, request: null })).catch(() => undefined); // sent, or given up meanwhile
    this.onEnd?.(id);
  }

  /** Leaves a draft where it is. */
  stop(id: string): void {
    this.#running.get(id)?.abort(new DOMException("stopped", "AbortError"));
    this.#running.delete(id);
    this.#all.delete(id);
  }

  close(): void {
    this.#opening.close();
    for (const id of [...this.#running.keys()]) this.stop(id);
  }

  async #run(id: string, wish: DraftWish | null): Promise<void> {
    if (this.#running.has(id)) return;
    const stop = new AbortController();
    this.#running.set(id, stop);
    this.#house.sending += 1;
    try {
      await this.#note(id, wish);
      await this.#sent(id, wish, stop.signal);
    } catch (error) {
      if (stop.signal.aborted) return;
      if (isCode(error, "not-on-this-device") && wish === null) this.#end(id, { kind: "gone" });
      else this.#fail(id, failureOf(error));
    } finally {
      this.#house.sending -= 1;
      if (this.#running.get(id) === stop) this.#running.delete(id);
    }
  }

  /** Where sending is not open yet, it leaves by itself when it is. */
  #fail(id: string, failure: Failure): void {
    this.#change(id, { kind: "failed", failure });
    if (failure.code === NOT_OPEN) this.#opening.await();
  }

  #goOn(): void {
    const waiting = [...this.#all.values()].filter(({ failure }) => failure?.code === NOT_OPEN);
    for (const { id } of waiting) void this.retry(id);
  }

  /** Another tab may still be recording or bringing it: then it is waited for. */
  async #sent(id: string, wish: DraftWish | null, signal: AbortSignal): Promise<void> {
    const { api } = this.#house;
    const options = { api, signal, compose: this.#compose, onState: (step: Step) => this.#hear(id, step) };
    for (let first = true; ; first = false) {
      try {
        if (first && wish !== null) return await sendDraft(id, wish, options);
        return await resumeDraft(id, options);
      } catch (error) {
        if (!(error instanceof BringingFailed) || error.code !== "busy") throw error;
        await onceFree(id, signal);
      }
    }
  }

  readonly #compose: Compose = async (outgoing) => {
    const { crypto, people, account } = this.#house;
    const records = await Promise.all(outgoing.wish.to.map(async (acct) => people.meetRecipient(acct)));
    const previous = await this.#previous(outgoing.wish.to, outgoing.draft.id);
    const wanted = messageOf(outgoing, { createdMs: Date.now(), name: account.name, previous });
    const { message, details, envelopes, links, sent } = await crypto.composeMessage(wanted, records);
    return { message, details, envelopes, links, sent };
  };

  /** By acct, the last message that left for it before this one, so that its recipient notices a gap. */
  async #previous(to: readonly string[], butNot: string): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const acct of to) {
      const listed = await this.#house.part(SentState).lastTo(acct);
      const here = [...this.#all.values()].filter(({ kind, to }) => kind === "sent" && to.includes(acct));
      const known = [...here, ...(listed ? [listed] : [])].filter(({ id }) => id !== butNot);
      const last = known.sort((one, other) => (other.receivedAt ?? 0) - (one.receivedAt ?? 0))[0];
      if (last) found[acct] = last.id;
    }
    return found;
  }

  async #note(id: string, wish: DraftWish | null): Promise<void> {
    const { content, createdMs } = await new Drafts(this.#house.db).get(id);
    const known = this.#all.get(id);
    this.#all.set(id, {
      id,
      kind: "going",
      to: wish?.to ?? content.wish?.to ?? [],
      caption: wish?.caption ?? content.wish?.caption ?? "",
      keptAt: createdMs + (content.video?.ms ?? 0),
      durationMs: content.video?.ms ?? 0,
      totalBytes: content.video?.size ?? 0,
      percent: content.isStored ? 100 : (known?.percent ?? 0),
      held: null,
      receivedAt: null,
      failure: null,
    });
  }

  /** A worker that waits tells of its trouble once: whoever listens later would not hear of it. */
  #now(sending: Sending): Sending {
    const isHeld = sending.kind === "going" && sending.held === null && this.#house.live.isOffline;
    return isHeld ? { ...sending, held: "offline" } : sending;
  }

  #hear(id: string, step: Step): void {
    if (step.kind === "sent") {
      const { receivedAtMs: receivedAt, to } = step;
      return this.#end(id, { kind: "sent", percent: 100, receivedAt, ...(to && { to }) });
    }
    if (step.kind === "gone") return this.#end(id, { kind: "gone" });
    const percent = step.kind === "uploading" ? step.percent : 100;
    this.#change(id, { percent, held: heldBy(step.trouble) });
  }

  #end(id: string, change: Partial<Sending>): void {
    this.#change(id, { ...change, held: null });
    this.onEnd?.(id);
  }

  #change(id: string, change: Partial<Sending>): void {
    const known = this.#all.get(id);
    if (known) this.#all.set(id, { ...known, ...change });
  }
}
