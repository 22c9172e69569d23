/** The worker's side of making a draft of a file or of another draft. */

import { openVideo, type OpenVideo } from "../crypto/video";
import { cutCaptions, readCaptions, writeCaptions } from "../media/captions";
import { FileRefused } from "../media/file-refused";
import { importVideo } from "../media/import";
import type { MadeVideo, TranscodeOptions } from "../media/transcode";
import { posterAt, trimVideo } from "../media/trim";
import { b64 } from "../protocol/encoding";
import { openDatabase } from "../storage/db";
import { Drafts, type Draft, type DraftCall, type DraftContent, type NewDraft } from "../storage/drafts";
import { StorageError } from "../storage/errors";
import { holding } from "../storage/ownership";
import { openSpool } from "../storage/spool";
import { dropReplaced, MadeDraft } from "./made-draft";
import type { Cut, MakingOrder, News } from "./orders";

type Tell = (news: News) => void;
type Encode = (sink: WritableStream<Uint8Array>, options: TranscodeOptions) => Promise<MadeVideo>;

/** How long a worker that was just ended may take to let a draft go. */
const LEAVING_MS = 10_000;
const PROGRESS_MS = 100;

interface Job {
  drafts: Drafts;
  tell: Tell;
  signal: AbortSignal;
}

/**
 * Carries one order out, and brings what it made up to the server. Cancelled or refused, it leaves nothing behind; rejects
 * when what was made stays here.
 */
export async function carryOut(order: MakingOrder, tell: Tell, signal: AbortSignal): Promise<void> {
  const refuse = (error: unknown): null => {
    tell(refusalOf(error));
    return null;
  };
  const drafts = await openDatabase().then((db) => new Drafts(db), refuse);
  if (drafts === null) return;
  const job = { drafts, tell, signal };
  if (order.type === "poster") {
    await setPoster(order.id, order.ms, job).catch(refuse);
    return;
  }
  await holding(order.id, async () => {
    const made = await (order.type === "import" ? importing(order, job) : trimming(order, job)).catch(refuse);
    if (made === null) return;
    await made.brought;
    tell({ type: "brought" });
  });
}

async function importing(order: Extract<MakingOrder, { type: "import" }>, job: Job): Promise<MadeDraft> {
  const { id, acct, createdMs, file, cut, sound, call } = order;
  const encode: Encode = (sink, options) => importVideo(file, sink, { cut, sound, ...options });
  return making({ id, acct, createdMs, call }, job, encode, async (made, video) => {
    await made.keep(video, (fresh, content) => job.drafts.make(fresh, content));
  });
}

/** The old draft is held meanwhile, so that nobody sends or discards it. */
async function trimming(order: Extract<MakingOrder, { type: "trim" }>, job: Job): Promise<MadeDraft> {
  return holding(order.old, async () => trimmed(order, await job.drafts.get(order.old), job), LEAVING_MS);
}

async function trimmed({ id, cut }: Extract<MakingOrder, { type: "trim" }>, old: Draft, job: Job): Promise<MadeDraft> {
  const film = await opened(old);
  const within = { fromMs: cut.fromMs, toMs: Math.min(cut.toMs, old.content.video?.ms ?? 0) };
  const encode: Encode = (sink, options) => trimVideo(film, sink, { cut: within, ...options });
  const replace = async (fresh: NewDraft, content: DraftContent): Promise<Draft> => {
    const now = await job.drafts.get(old.id);
    assertEditable(now.content);
    return job.drafts.replace(old.id, fresh, { ...content, captions: captionsOf(now.content, within) });
  };
  const made = await making({ id, acct: old.acct, createdMs: old.createdMs }, job, encode, async (draft, video) => {
    await draft.keep(video, replace);
  });
  await dropReplaced(old);
  return made;
}

function captionsOf(content: DraftContent, cut: Cut): string | null {
  const cues = cutCaptions(readCaptions(content.captions), cut);
  return cues.length === 0 ? null : writeCaptions(cues);
}

async function making(
  { call, ...fresh }: Omit<NewDraft, "messageKey"> & { call?: DraftCall | undefined },
  { drafts, tell, signal }: Job,
  encode: Encode,
  keep: (made: MadeDraft, video: MadeVideo) => Promise<void>,
): Promise<MadeDraft> {
  const made = await MadeDraft.begin(fresh, drafts, tell, call);
  try {
    const video = await encode(made.writable, { signal, onProgress: atTimes(tell) });
    signal.throwIfAborted();
    await keep(made, video);
  } catch (error) {
    await made.discard();
    throw error;
  }
  tell({ type: "made", id: fresh.id });
  return made;
}

async function setPoster(id: string, ms: number, { drafts, tell }: Job): Promise<void> {
  const poster = await posterAt(await opened(await drafts.get(id)), ms);
  await drafts.change(id, (content) => {
    assertEditable(content);
    return { poster: { type: poster.type, data: b64(poster.data) }, request: null };
  });
  tell({ type: "made", id });
}

async function opened({ id, content }: Draft): Promise<OpenVideo> {
  const { messageKey, video } = content;
  assertEditable(content);
  if (video === null) throw new StorageError("not-on-this-device");
  return openVideo(messageKey, await openSpool(id), video.sha256);
}

/** What is on its way already stays as it was sealed. */
function assertEditable({ wish }: DraftContent): void {
  if (wish !== null) throw new StorageError("busy");
}

function atTimes(tell: Tell): (done: number) => void {
  let toldAt = -Infinity;
  return (done) => {
    if (done < 1 && performance.now() - toldAt < PROGRESS_MS) return;
    toldAt = performance.now();
    tell({ type: "making", done });
  };
}

/** What became of an order that failed, as news. */
export function refusalOf(error: unknown): Extract<News, { type: "refused" }> {
  const facts = error instanceof FileRefused ? error.facts : {};
  const { code } = error as { code?: unknown };
  return { type: "refused", code: typeof code === "string" ? code : "interrupted", facts };
}
