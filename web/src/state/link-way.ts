/** How a video gets to a guest link whose secret is another's: of a caller who may be answered, of one's own answering page. */

import type { DraftCall, DraftLink, DraftWish } from "../storage/drafts";
import { hostOf, type BoothHost } from "./booth-host";
import { DraftsState, type FoundDraft } from "./drafts.svelte";
import type { House } from "./house.svelte";
import type { LeavingStep, LeavingWay, Typed } from "./leaving.svelte";
import { SendingState } from "./sending.svelte";

interface To {
  readonly link: DraftLink;
  /** The message that is answered. */
  readonly replyTo: string | null;
}

const LOOK_MS = 200;

export class LinkWay implements LeavingWay {
  readonly #house: House;
  readonly #to: () => Promise<To>;
  readonly #begunAs: string | null;
  #known: To | null = null;
  /** The message that was sent last. */
  sent: string | null = null;

  /**
   * @param to asked for when somebody wants to record, or to send.
   * @param begunAs what takes are noted as, so that one that was interrupted is offered here again; else they are the account's.
   */
  constructor(house: House, to: () => Promise<To>, begunAs: string | null = null) {
    this.#house = house;
    this.#to = to;
    this.#begunAs = begunAs;
  }

  async find(): Promise<readonly FoundDraft[]> {
    if (this.#begunAs === null) return [];
    const found = await this.#house.part(DraftsState).begunFor(this.#begunAs);
    return found === null ? [] : [found];
  }

  async enter(_before: DraftCall | undefined): Promise<BoothHost> {
    this.#known = await this.#to();
    return hostOf(this.#house, this.#begunAs === null ? null : { to: this.#begunAs, replyTo: null });
  }

  discard(id: string): Promise<void> {
    return this.#house.part(DraftsState).discard(id);
  }

  moved(from: string, to: string): void {
    this.#house.part(DraftsState).moved(from, to, { to: [], caption: null });
  }

  async wish({ caption }: Typed): Promise<DraftWish> {
    const to = (this.#known ??= await this.#to());
    const words = { to: [], caption: caption === "" ? null : caption, links: [to.link] };
    return to.replyTo === null ? words : { ...words, replyTo: to.replyTo };
  }

  async send(id: string, wish: DraftWish | null, onStep: (step: LeavingStep) => void): Promise<number> {
    const sending = this.#house.part(SendingState);
    const timer = setInterval(() => {
      const going = sending.get(id);
      if (going) onStep({ percent: going.percent, held: going.held });
    }, LOOK_MS);
    try {
      await (wish === null ? sending.retry(id) : sending.send(id, wish));
    } finally {
      clearInterval(timer);
    }
    const end = sending.get(id);
    if (end?.kind === "failed") throw Object.assign(new Error("not sent"), end.failure);
    this.sent = id;
    return end?.receivedAt ?? Date.now();
  }

  close(): void {
    this.#known = null;
  }
}
