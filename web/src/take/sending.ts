/**
 * The last step of a take: brought up, sealed for its recipients once, stored, and posted until it is answered. It goes on
 * after a reload, and repeated it is the same message: the same bytes under the same Idempotency-Key.
 */

import { openDatabase } from "../storage/db";
import { Drafts, type Draft, type DraftRequest, type DraftWish } from "../storage/drafts";
import { StorageError } from "../storage/errors";
import { removeSpool } from "../storage/spool";
import { Api, Problem } from "../transfer/http";
import { malformed } from "../transfer/problem";
import { bringUp } from "./bringers";
import { formOf } from "./form";
import { percentOf, type News } from "./orders";

/** A draft that is on the server and has a wish: all that details and envelopes are made from. */
export interface Outgoing {
  readonly draft: Draft;
  readonly upload: string;
  readonly wish: DraftWish;
}

/** Where a draft is posted, and by which right. */
export interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Seals details and envelopes for recipients whose records were checked just now. Rejects with Problems and refusals. */
export type Compose = (outgoing: Outgoing) => Promise<Omit<DraftRequest, "idempotencyKey" | "upload">>;

/**
 * - `uploading`: `percent` of it is stored; `trouble` says what is being waited for.
 * - `sealing`: for each recipient.
 * - `posting`: the server is asked to leave it.
 * - `sent`: it waits for them; the draft is gone from here. `to`: for others than were wished last, since it had already left.
 * - `gone`: another tab has sent it meanwhile, or given it up.
 */
export type SendingState =
  | { kind: "uploading"; percent: number; trouble: string | null }
  | { kind: "sealing" | "posting"; trouble: string | null }
  | { kind: "sent"; receivedAtMs: number; to?: readonly string[] }
  | { kind: "gone" };

export interface SendingOptions {
  compose: Compose;
  /** For a call; without it, a message of whoever is signed in. */
  call?: {
    post(draft: Draft): Post;
    /** The call is over: notes the right of another one in the draft. Rejects with Problems. */
    renew(draft: Draft): Promise<void>;
  };
  api?: Api;
  onState?: (state: SendingState) => void;
  signal?: AbortSignal;
  /** For tests: brings the draft up. */
  bring?: typeof bringUp;
  drafts?: Drafts;
  locks?: Pick<LockManager, "request">;
}

const NEW_UPLOAD: ReadonlySet<string> = new Set(["upload-gone", "not-found", "upload-claimed"]);
const FRESH_UPLOADS = 3;
/** So old may be what was sealed ahead: recipients' records were checked for it. */
const AHEAD_MS = 30_000;

type Composed = Awaited<ReturnType<Compose>>;

/** Notes what a person wants done with a draft, and does it. See `resumeDraft`. */
export async function sendDraft(id: string, wish: DraftWish, options: SendingOptions): Promise<void> {
  const drafts = options.drafts ?? new Drafts(await openDatabase());
  await drafts.change(id, ({ wish: before, request }) => ({ wish, request: isSame(before, wish) ? request : null }));
  await resumeDraft(id, { ...options, drafts });
}

/**
 * Goes on with a draft that a person wanted sent, until the server has left the message; then, and only then, the draft goes.
 * @throws Problem, when a person must help (`no-such-recipient`, `not-signed-in`); what `compose` rejects with; the signal's reason. The draft stays.
 */
export async function resumeDraft(id: string, options: SendingOptions): Promise<void> {
  const drafts = options.drafts ?? new Drafts(await openDatabase());
  const signal = options.signal ?? new AbortController().signal;
  // Two tabs that find it must not both seal it: the second would be another message under the same id.
  await (options.locks ?? navigator.locks).request(`restante-sending ${id}`, { signal }, async () => {
    await new Sending(id, drafts, options).run();
  });
}

/** Takes a wish back before it was done: the draft is an ordinary one again. */
export async function unsendDraft(id: string, drafts?: Drafts): Promise<void> {
  await (drafts ?? new Drafts(await openDatabase())).change(id, () => ({ wish: null, request: null }));
}

class Sending {
  readonly #id: string;
  readonly #drafts: Drafts;
  readonly #options: SendingOptions;
  readonly #api: Api;
  readonly #signal: AbortSignal;
  #percent = 0;
  #ahead: { outgoing: Outgoing; startedMs: number; composed: Promise<Composed | null> } | null = null;

  constructor(id: string, drafts: Drafts, options: SendingOptions) {
    this.#id = id;
    this.#drafts = drafts;
    this.#options = options;
    this.#api = options.api ?? new Api();
    this.#signal = options.signal ?? new AbortController().signal;
  }

  async run(): Promise<void> {
    if (await this.#isGone()) return this.#tell({ kind: "gone" });
    for (let fresh = 0; ; fresh += 1) {
      try {
        return await this.#once(fresh);
      } catch (error) {
        if (fresh === FRESH_UPLOADS || !(await this.#renewed(error))) throw error;
      }
    }
  }

  async #once(fresh: number): Promise<void> {
    for (let more = fresh; ; more += 1) {
      const draft = await this.#brought();
      const request = await this.#composed(draft);
      try {
        return await this.#left({ receivedAtMs: await this.#posted(draft, request) });
      } catch (error) {
        if (!(error instanceof Problem) || more === FRESH_UPLOADS) throw error;
        if (error.code === "id-taken") return this.#left(await this.#found(error));
        if (!(await this.#cured(error))) throw error;
      }
    }
  }

  /** A call's day is over: what lies here goes by another one. */
  async #renewed(error: unknown): Promise<boolean> {
    const { call } = this.#options;
    if (call === undefined || !(error instanceof Error && "code" in error && error.code === "call-over")) return false;
    await call.renew(await this.#drafts.get(this.#id));
    await this.#drafts.change(this.#id, () => ({ isStored: false, upload: null, request: null }));
    return true;
  }

  async #left(answer: { receivedAtMs: number; to?: readonly string[] }): Promise<void> {
    await this.#drafts.remove(this.#id);
    await removeSpool(this.#id).catch(() => undefined); // a sweep does it later
    this.#tell({ kind: "sent", ...answer });
  }

  /** The wish was taken back, or changed, while the server was already leaving the message: what is there counts. */
  async #found(taken: Problem): Promise<{ receivedAtMs: number; to?: readonly string[] }> {
    if (this.#options.call) return { receivedAtMs: Date.now() };
    const { acct } = await this.#drafts.get(this.#id);
    const server = acct.split("@")[1] ?? "";
    const extras = { path: { message_id: this.#id }, query: { box: "sent" } } as const;
    const ask = (): Promise<unknown> => this.#api.get("/api/v1/messages/{message_id}", extras);
    const there = await this.#api.patiently(
      async () => {
        try {
          return (await ask()) as { received_at: number; deliveries: readonly { recipient: string }[] };
        } catch (error) {
          if (error instanceof Problem && error.code === "not-found") throw taken;
          throw error;
        }
      },
      this.#signal,
      (problem) => this.#tell({ kind: "posting", trouble: problem.code }),
    );
    const to = there.deliveries.map(({ recipient }) => `${recipient}@${server}`);
    return { receivedAtMs: there.received_at, to };
  }

  async #isGone(): Promise<boolean> {
    try {
      await this.#drafts.get(this.#id);
      return false;
    } catch (error) {
      if (error instanceof StorageError && error.code === "not-on-this-device") return true;
      throw error;
    }
  }

  async #brought(): Promise<Draft> {
    const draft = await this.#drafts.get(this.#id);
    if (draft.content.isStored) return draft;
    this.#tell({ kind: "uploading", percent: this.#percent, trouble: null });
    this.#composeAhead(draft);
    await (this.#options.bring ?? bringUp)(this.#id, (news) => this.#hear(news), this.#signal);
    return this.#drafts.get(this.#id);
  }

  /** Sealed while the rest goes up, so that nobody waits for it afterwards. What fails here is told when it is done again. */
  #composeAhead(draft: Draft): void {
    const { upload, wish, video, request } = draft.content;
    if (upload === null || wish === null || video === null || request !== null) return;
    const outgoing = { draft, upload: upload.id, wish };
    const composed = this.#options.compose(outgoing).catch(() => null);
    this.#ahead = { outgoing, startedMs: performance.now(), composed };
  }

  async #composedAhead(outgoing: Outgoing): Promise<Composed | null> {
    const ahead = this.#ahead;
    this.#ahead = null;
    if (ahead === null || performance.now() - ahead.startedMs > AHEAD_MS) return null;
    const isFor = ahead.outgoing.upload === outgoing.upload && isSame(ahead.outgoing.wish, outgoing.wish);
    return isFor ? ahead.composed : null;
  }

  async #composed(draft: Draft): Promise<DraftRequest> {
    const { request, upload, wish } = draft.content;
    if (upload === null || wish === null) throw new StorageError("not-on-this-device");
    if (request !== null && request.upload === upload.id) return request;
    this.#tell({ kind: "sealing", trouble: null });
    const outgoing = { draft, upload: upload.id, wish };
    const composed =
      (await this.#composedAhead(outgoing)) ??
      (await this.#api.patiently(
        () => this.#options.compose(outgoing),
        this.#signal,
        (problem) => this.#tell({ kind: "sealing", trouble: problem.code }),
      ));
    const fresh: DraftRequest = { ...composed, upload: upload.id, idempotencyKey: crypto.randomUUID() };
    await this.#drafts.change(this.#id, () => ({ request: fresh }));
    return fresh;
  }

  async #posted(draft: Draft, request: DraftRequest): Promise<number> {
    this.#tell({ kind: "posting", trouble: null });
    const { body, contentType } = formOf(request);
    const { url, headers: right } = this.#options.call?.post(draft) ?? { url: "/api/v1/messages", headers: {} };
    const headers = { "content-type": contentType, "idempotency-key": request.idempotencyKey, ...right };
    const answer = await this.#api.patiently(
      async () => {
        const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(60_000)]);
        const response = await this.#api.request("POST", url, { headers, body, signal });
        return (await response.json()) as { id?: unknown; received_at?: unknown };
      },
      this.#signal,
      (problem) => this.#tell({ kind: "posting", trouble: problem.code }),
    );
    if (answer.id !== this.#id || typeof answer.received_at !== "number") throw malformed("another message’s id");
    return answer.received_at;
  }

  /** The server may have lost the upload: the same ciphertext goes up again, and envelopes that name the new upload are made. */
  async #cured(problem: Problem): Promise<boolean> {
    if (problem.code === "upload-unfinished") {
      await this.#drafts.change(this.#id, () => ({ isStored: false }));
      return true;
    }
    if (!NEW_UPLOAD.has(problem.code)) return false;
    await this.#drafts.change(this.#id, () => ({ isStored: false, upload: null, request: null }));
    return true;
  }

  #hear(news: News): void {
    if (news.type === "stored") {
      this.#percent = percentOf(news.bytes, news.total) ?? this.#percent;
      this.#tell({ kind: "uploading", percent: this.#percent, trouble: null });
    }
    if (news.type === "trouble" && news.code !== null) {
      this.#tell({ kind: "uploading", percent: this.#percent, trouble: news.code });
    }
  }

  #tell(state: SendingState): void {
    this.#options.onState?.(state);
  }
}

function isSame(one: DraftWish | null, other: DraftWish): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
