/** How a video gets to the owner of a page or of a guest link from somebody without an account. */

import type { CryptoService } from "../crypto/service";
import { b64 } from "../protocol/encoding";
import { randomBytes } from "../protocol/ids";
import { openDatabase } from "../storage/db";
import { Drafts, type Draft, type DraftCall, type DraftWish } from "../storage/drafts";
import { BringingFailed } from "../take/bringers";
import { discardDraft, findDrafts, onceFree, type FoundDraft } from "../take/recovery";
import { resumeDraft, sendDraft, type SendingOptions, type SendingState as Step } from "../take/sending";
import type { Take } from "../take/take";
import type { Api } from "../transfer/http";
import type { BoothHost } from "./booth-host";
import { callAgain, historyOf, type Door } from "./door";
import { heldBy } from "./held";
import type { LeavingStep, LeavingWay, Typed } from "./leaving.svelte";

interface Tools {
  readonly api: Api;
  readonly crypto: CryptoService;
}

const SECRET_BYTES = 32;

export class CallerWay implements LeavingWay {
  readonly #tools: Tools;
  readonly #door: Door;
  readonly #takes = new Map<string, Take>();
  readonly #closed = new AbortController();

  constructor(tools: Tools, door: Door) {
    this.#tools = tools;
    this.#door = door;
  }

  find(): Promise<readonly FoundDraft[]> {
    return findDrafts(this.#door.label);
  }

  /** A call holds for a day: what is recorded anew goes by the same. */
  async enter(before: DraftCall | undefined): Promise<BoothHost> {
    const isGood = before !== undefined && before.untilMs > Date.now();
    const call = isGood ? before : await this.#door.enter();
    return {
      acct: this.#door.label,
      name: "",
      call,
      choices: { countdown: true, beep: true },
      get isOffline() {
        return !navigator.onLine;
      },
      adopt: (take) => void this.#takes.set(take.id, take),
      drop: (id) => void this.discard(id).catch(() => undefined), // stays, and is offered again
      refresh: () => undefined,
    };
  }

  async discard(id: string): Promise<void> {
    const take = this.#takes.get(id);
    this.#takes.delete(id);
    await (take ? take.discard() : discardDraft(id));
  }

  moved(): void {
    // The take that takes its place lies under the same label.
  }

  wish({ name, caption, wantsAnswer }: Typed, { content }: Draft): DraftWish {
    const { replyTo } = this.#door;
    return {
      to: content.call ? [content.call.to] : [],
      caption: caption === "" ? null : caption,
      ...(replyTo !== null && { replyTo }),
      ...(name !== "" && { name }),
      ...(wantsAnswer && { answer: b64(randomBytes(SECRET_BYTES)) }),
    };
  }

  /** Another tab may still be recording or bringing it: then it is waited for. */
  async send(id: string, wish: DraftWish | null, onStep: (step: LeavingStep) => void): Promise<number> {
    const left = { atMs: Date.now() };
    const options = this.#options((step) => {
      if (step.kind === "sent") left.atMs = step.receivedAtMs;
      else if (step.kind === "uploading") onStep({ percent: step.percent, held: heldBy(step.trouble) });
      else if (step.kind !== "gone") onStep({ percent: 100, held: heldBy(step.trouble) });
    });
    for (let wanted = wish; ; wanted = null) {
      try {
        await (wanted === null ? resumeDraft(id, options) : sendDraft(id, wanted, options));
        return left.atMs;
      } catch (error) {
        if (!(error instanceof BringingFailed) || error.code !== "busy") throw error;
        await onceFree(id, this.#closed.signal);
      }
    }
  }

  close(): void {
    this.#closed.abort(new DOMException("closed", "AbortError"));
    for (const take of this.#takes.values()) take.close();
  }

  #options(onState: (step: Step) => void): SendingOptions {
    const { api, crypto } = this.#tools;
    const right = ({ content }: Draft): string => `Bearer ${content.call?.token ?? ""}`;
    return {
      api,
      signal: this.#closed.signal,
      onState,
      compose: async (outgoing) => {
        const { callOf } = await import("../take/outgoing");
        const acct = outgoing.wish.to[0] ?? "";
        const owner = { acct, history: await historyOf(api, acct), fp: outgoing.draft.content.call?.fp ?? null };
        return { ...(await crypto.composeCall(callOf(outgoing, Date.now()), owner)), sent: "" };
      },
      call: {
        post: (draft) => ({ url: "/api/v1/calls/message", headers: { authorization: right(draft) } }),
        renew: async ({ id, content }) => {
          const call = content.call && (await callAgain(this.#tools, content.call));
          if (call) await new Drafts(await openDatabase()).change(id, () => ({ call }));
        },
      },
    };
  }
}
