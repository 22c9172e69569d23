/**
 * A draft that is made of something that is still there: a file, another draft. Nothing of it is on record until all of it is kept, so
 * that what a crash leaves is a spool that no draft knows, which is swept. Its upload begins at once all the same.
 */

import type { MadeVideo } from "../media/transcode";
import { b64 } from "../protocol/encoding";
import {
  emptyContent,
  type Draft,
  type DraftCall,
  type DraftContent,
  type Drafts,
  type NewDraft,
} from "../storage/drafts";
import { StorageError } from "../storage/errors";
import { removeSpool, Spool } from "../storage/spool";
import { terminateUpload } from "../transfer/tus";
import { Bringing } from "./bringing";
import type { News } from "./orders";
import { newMessageKey, SealingSink } from "./sealing-sink";

type Change = (content: DraftContent) => Partial<DraftContent>;
type Keep = (fresh: NewDraft, content: DraftContent) => Promise<Draft>;

export class MadeDraft {
  /** For the encoder. */
  readonly writable: WritableStream<Uint8Array>;
  readonly #fresh: NewDraft;
  readonly #drafts: Drafts;
  readonly #spool: Spool;
  readonly #sink: SealingSink;
  readonly #bringing: Bringing;
  #content: DraftContent;
  #isKept = false;
  /** One change after the other: page, upload and the keeping itself want the same record. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(fresh: NewDraft, drafts: Drafts, spool: Spool, tell: (news: News) => void, call?: DraftCall) {
    const { id, messageKey } = fresh;
    this.#fresh = fresh;
    this.#drafts = drafts;
    this.#spool = spool;
    this.#content = { ...emptyContent(messageKey), ...(call && { call }) };
    const news = {
      onStored: (bytes: number) => tell({ type: "stored", ...this.#stored(bytes) }),
      onTrouble: (code: string | null) => tell({ type: "trouble", code }),
    };
    const changer = { change: (_id: string, change: Change) => this.#change(change) };
    this.#bringing = new Bringing({ id, drafts: changer, source: spool, news, call: call?.token });
    this.#sink = new SealingSink({
      id,
      messageKey,
      sideKey: null,
      spool,
      onSpooled: (bytes) => this.#bringing.offer(bytes),
    });
    this.writable = this.#sink.writable;
  }

  /** @throws StorageError device-full, storage-unavailable */
  static async begin(
    fresh: Omit<NewDraft, "messageKey">,
    drafts: Drafts,
    tell: (news: News) => void,
    call?: DraftCall,
  ): Promise<MadeDraft> {
    return new MadeDraft({ ...fresh, messageKey: newMessageKey() }, drafts, await Spool.make(fresh.id), tell, call);
  }

  /** Settles when the server has all of it. */
  get brought(): Promise<void> {
    return this.#bringing.done;
  }

  /** Puts it on record, complete, by `keep`. @throws StorageError, ProtocolError video-too-large */
  async keep(video: MadeVideo, keep: Keep): Promise<void> {
    const sealing = await this.#sink.finish();
    const { type, ms, width: w, height: h } = video;
    const poster = video.poster && { type: video.poster.type, data: b64(video.poster.data) };
    await this.#inTurn(async () => {
      const content = { ...this.#content, poster, video: { ...sealing, type, ms, w, h } };
      this.#content = (await keep(this.#fresh, content)).content;
      this.#isKept = true;
    });
    this.#bringing.finish(sealing.size);
    await this.#spool.settle();
  }

  /** Leaves nothing of it, here or on the server. */
  async discard(): Promise<void> {
    this.#bringing.close();
    this.#spool.close();
    await removeSpool(this.#fresh.id).catch(() => undefined); // a sweep does it later
    const { upload } = this.#content;
    if (upload) await terminateUpload((url, init) => fetch(url, init), upload).catch(() => undefined);
  }

  async #change(change: Change): Promise<{ content: DraftContent }> {
    return this.#inTurn(async () => {
      if (this.#isKept) return this.#drafts.change(this.#fresh.id, change);
      this.#content = { ...this.#content, ...change(this.#content) };
      return { content: this.#content };
    });
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  #stored(bytes: number): { ms: number; bytes: number; total: number | null } {
    const { video } = this.#content;
    return { ms: video === null ? 0 : (video.ms * bytes) / video.size, bytes, total: video?.size ?? null };
  }
}

/** Drops a draft that another one has taken the place of, with what it left on the server. */
export async function dropReplaced({ id, content }: Draft): Promise<void> {
  await removeSpool(id).catch((error: unknown) => {
    if (!(error instanceof StorageError)) throw error;
  });
  const uploads = [...content.abandoned, ...(content.upload ? [content.upload] : [])];
  const send = (url: RequestInfo | URL, init?: RequestInit): Promise<Response> => fetch(url, init);
  await Promise.all(uploads.map((upload) => terminateUpload(send, upload).catch(() => undefined)));
}
