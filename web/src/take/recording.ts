/** One take in the recorder worker: encode, seal, spool and upload at the same time; the draft outlives all of it. */

import { encodeTake, TakeFailed, type TakeEncoding, type TakeResult } from "../media/encode";
import { RemoteTake } from "../media/remote-take";
import { b64 } from "../protocol/encoding";
import { openDatabase } from "../storage/db";
import { Drafts, emptyContent, type Draft, type DraftVideo } from "../storage/drafts";
import { StorageError } from "../storage/errors";
import { removeSpool, Spool } from "../storage/spool";
import { terminateUpload } from "../transfer/tus";
import { videoSize } from "../crypto/video";
import { Bringing } from "./bringing";
import type { News, Order } from "./orders";
import { newMessageKey, SealingSink, type Sealing } from "./sealing-sink";

type RecordOrder = Extract<Order, { type: "record" }>;

/** Above this much of age's overhead a byte of the MP4 is surely in the spool. */
interface Mark {
  bytes: number;
  ms: number;
}

export class Recording {
  readonly #tell: (news: News) => void;
  readonly #drafts: Drafts;
  readonly #draft: Draft;
  readonly #spool: Spool;
  readonly #sink: SealingSink;
  readonly #bringing: Bringing;
  readonly #encoding: TakeEncoding;
  readonly #marks: Mark[] = [];
  #storedMs = 0;
  #total: number | null = null;
  #result: Promise<void> | null = null;
  #isFull = false;

  private constructor(order: RecordOrder, drafts: Drafts, draft: Draft, spool: Spool, tell: (news: News) => void) {
    this.#tell = tell;
    this.#drafts = drafts;
    this.#draft = draft;
    this.#spool = spool;
    const news = {
      onStored: (bytes: number) => this.#tellStored(bytes),
      onTrouble: (code: string | null) => tell({ type: "trouble", code }),
    };
    this.#bringing = new Bringing({ id: draft.id, drafts, source: spool, news, call: order.call?.token });
    this.#sink = new SealingSink({
      id: draft.id,
      messageKey: draft.content.messageKey,
      sideKey: draft.key,
      spool,
      onSpooled: (bytes) => this.#bringing.offer(bytes),
    });
    spool.onFull = () => this.#endFull();
    this.#encoding = this.#encode(order);
  }

  /** Makes draft and spool, then begins. @throws StorageError, TakeFailed */
  static async begin(order: RecordOrder, tell: (news: News) => void): Promise<Recording> {
    const drafts = new Drafts(await openDatabase());
    const { id, acct, createdMs, call } = order;
    const messageKey = newMessageKey();
    const content = { ...emptyContent(messageKey), ...(call && { call }) };
    const draft = await drafts.make({ id, acct, createdMs, messageKey }, content);
    try {
      return new Recording(order, drafts, draft, await Spool.make(id), tell);
    } catch (error) {
      await drafts.remove(id);
      throw error;
    }
  }

  /** Settles when the server has the whole take. */
  get brought(): Promise<void> {
    return this.#bringing.done;
  }

  pause(): void {
    this.#encoding.pause();
  }

  resume(): void {
    this.#encoding.resume();
  }

  /** Adds to the take's record of events. */
  note(kind: string, why: string | null): void {
    this.#encoding.note(kind, why);
  }

  /** Ends the take; what it holds is kept. @throws TakeFailed no-picture, when there is nothing to keep */
  stop(): Promise<void> {
    this.#result ??= this.#finish();
    return this.#result;
  }

  /** Gives the take up, for good. */
  async discard(): Promise<void> {
    const gone = this.#encoding.close();
    this.#bringing.close();
    this.#spool.close();
    const { content } = await this.#drafts.get(this.#draft.id);
    await this.#drafts.remove(this.#draft.id);
    await removeSpool(this.#draft.id);
    if (content.upload) await terminateUpload((url, init) => fetch(url, init), content.upload).catch(() => undefined);
    await gone;
  }

  #encode(order: RecordOrder): TakeEncoding {
    const take = encodingOf(order, this.#sink.writable);
    take.onProgress = (mediaMs) => this.#tell({ type: "progress", mediaMs });
    take.onReach = ({ bytes, ms }) => {
      this.#marks.push({ bytes: videoSize(bytes), ms });
      this.#tell({ type: "kept", ms });
    };
    take.onQuality = ({ width, height }, isBehind) => this.#tell({ type: "quality", width, height, isBehind });
    take.onEvent = (events) => void this.#drafts.change(this.#draft.id, () => ({ events })).catch(() => undefined);
    take.onEnd = (end) => {
      this.#tell({ type: "ended", end: this.#isFull ? "device-full" : end });
      this.stop().catch((error: unknown) => this.#tell({ type: "failed", code: codeOf(error) }));
    };
    take.started.then(
      () => this.#tell({ type: "started" }),
      (error: unknown) => void this.#neverStarted(error),
    );
    return take;
  }

  async #neverStarted(error: unknown): Promise<void> {
    if (this.#result !== null) return;
    await this.discard().catch(() => undefined);
    this.#tell({ type: "failed", code: codeOf(error) });
  }

  async #finish(): Promise<void> {
    let take: TakeResult;
    try {
      take = await this.#encoding.stop();
    } catch (error) {
      await this.discard();
      throw error;
    }
    const sealing = await this.#sink.finish();
    await this.#note(take, sealing);
    this.#total = sealing.size;
    this.#bringing.finish(sealing.size);
    this.#tell({ type: "kept", ms: take.ms });
    this.#tell({ type: "complete", ms: take.ms, bytes: sealing.size });
    await this.#spool.settle();
  }

  async #note(take: TakeResult, sealing: Sealing): Promise<void> {
    const video: DraftVideo = { ...sealing, type: take.type, ms: take.ms, w: take.width, h: take.height };
    const poster = take.poster && { type: take.poster.type, data: b64(take.poster.data) };
    await this.#drafts.change(this.#draft.id, () => ({ video, poster, events: take.events }));
    this.#marks.push({ bytes: sealing.size, ms: take.ms });
  }

  /** The reserve is in use: end the take while there is room for its end. */
  #endFull(): void {
    this.#isFull = true;
    this.#tell({ type: "ended", end: "device-full" });
    // Not at once: a write is in progress, and stopping waits for it.
    queueMicrotask(
      () => void this.stop().catch((error: unknown) => this.#tell({ type: "failed", code: codeOf(error) })),
    );
  }

  #tellStored(bytes: number): void {
    for (const mark of this.#marks) if (mark.bytes <= bytes) this.#storedMs = Math.max(this.#storedMs, mark.ms);
    if (bytes === 0) this.#storedMs = 0;
    this.#tell({ type: "stored", ms: this.#storedMs, bytes, total: this.#total });
  }
}

function encodingOf({ source, options }: RecordOrder, sink: WritableStream<Uint8Array>): TakeEncoding {
  if ("made" in source) return new RemoteTake(source.made, sink);
  const { clockRate, ...encoding } = options;
  const now = clockRate === undefined ? {} : { now: () => performance.now() * clockRate };
  return encodeTake({ ...source, options: { ...encoding, ...now } }, sink);
}

export function codeOf(error: unknown): string {
  if (error instanceof StorageError || error instanceof TakeFailed) return error.code;
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : "interrupted";
}
