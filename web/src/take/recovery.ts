/** What is found on this device when the app starts: takes that were interrupted, kept or on their way. */

import { openDatabase, type Database } from "../storage/db";
import { Drafts, type Draft } from "../storage/drafts";
import { StorageError } from "../storage/errors";
import { heldDrafts, holding, onceFree } from "../storage/ownership";
import { openSpool, removeSpool, spoolIds } from "../storage/spool";
import type { Fetch } from "../transfer/http";
import { terminateUpload } from "../transfer/tus";
import { BringingFailed, isBroughtHere, letGo } from "./bringers";
import { startWorker } from "./link";

export { onceFree };

const LEAVING_MS = 2000;

/**
 * - `elsewhere`: another tab is recording or sending it.
 * - `interrupted`: the recording was cut short; `recoverDraft` makes it whole.
 * - `kept`: complete, waiting for a person.
 * - `sending`: a person pressed send; it goes on by itself.
 * - `evicted`: the browser removed the video before the server had it; nothing is left of it.
 */
export type DraftKind = "elsewhere" | "interrupted" | "kept" | "sending" | "evicted";

export interface FoundDraft {
  readonly id: string;
  readonly kind: DraftKind;
  readonly createdMs: number;
  /** Null while it is not known. */
  readonly ms: number | null;
  readonly to: readonly string[];
  readonly isStored: boolean;
}

/** Lists the drafts of an account, newest first. @throws StorageError storage-unavailable */
export async function findDrafts(acct: string, db?: Database): Promise<FoundDraft[]> {
  const drafts = await new Drafts(db ?? (await openDatabase())).all(acct);
  const held = await heldDrafts();
  return Promise.all(drafts.map(async (draft) => found(draft, held)));
}

/** Whether an account may be signed out without a take being lost from sight. */
export async function hasDrafts(acct: string): Promise<boolean> {
  return (await findDrafts(acct)).some((draft) => draft.kind !== "evicted");
}

/** Makes an interrupted take whole ([Note: Crash rule]) and gives the id of the draft that takes its place. @throws BringingFailed `nothing-to-keep`, `busy`, `device-full` */
export async function recoverDraft(id: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const worker = startWorker((news) => {
      if (news.type === "recovered") resolve(news.id);
      else if (news.type === "failed") reject(new BringingFailed(news.code));
      else return;
      worker.close();
    });
    worker.order({ type: "recover", id });
  });
}

/** Gives a draft up for good. Its upload goes too, at once or when it expires. @throws StorageError busy, when another tab has it */
export async function discardDraft(id: string, send: Fetch = (input, init) => fetch(input, init)): Promise<void> {
  const drafts = new Drafts(await openDatabase());
  const drop = async () => {
    const content = await drafts.get(id).then(
      (draft) => draft.content,
      () => null,
    );
    await drafts.remove(id);
    await removeSpool(id);
    const uploads = [...(content?.abandoned ?? []), ...(content?.upload ? [content.upload] : [])];
    await Promise.all(uploads.map((upload) => terminateUpload(send, upload).catch(() => undefined)));
  };
  letGo(id);
  await holding(id, drop, LEAVING_MS);
}

/** Takes uploads back that a recovered take left behind; what cannot be reached now is tried again next time. */
export async function takeBackUploads(acct: string, send: Fetch = (input, init) => fetch(input, init)): Promise<void> {
  const drafts = new Drafts(await openDatabase());
  for (const draft of await drafts.all(acct)) {
    for (const upload of draft.content.abandoned) {
      const isGone = await terminateUpload(send, upload).then(
        () => true,
        () => false,
      );
      if (!isGone) continue;
      const rest = (content: Draft["content"]) => content.abandoned.filter((each) => each.id !== upload.id);
      await drafts.change(draft.id, (content) => ({ abandoned: rest(content) }));
    }
  }
}

/** Removes spools that no draft knows: left by a crash between two steps. */
export async function sweepSpools(): Promise<void> {
  const drafts = new Drafts(await openDatabase());
  for (const id of await spoolIds()) {
    await holding(id, async () => {
      if (!(await drafts.ids()).includes(id)) await removeSpool(id);
    }).catch(() => undefined); // somebody is at it, so it is not left over
  }
}

async function found(draft: Draft, held: ReadonlySet<string>): Promise<FoundDraft> {
  const { video, wish, isStored } = draft.content;
  const { id, createdMs } = draft;
  return { id, createdMs, kind: await kindOf(draft, held), ms: video?.ms ?? null, to: wish?.to ?? [], isStored };
}

async function kindOf({ id, content }: Draft, held: ReadonlySet<string>): Promise<DraftKind> {
  // What this page brings up itself is at hand as soon as it is complete.
  if (held.has(id) && !(isBroughtHere(id) && content.video !== null)) return "elsewhere";
  const spooled = await spooledBytes(id);
  if (content.video === null) return spooled === null ? "evicted" : "interrupted";
  if (spooled !== content.video.size && !content.isStored) return "evicted";
  return content.wish === null ? "kept" : "sending";
}

async function spooledBytes(id: string): Promise<number | null> {
  try {
    return (await openSpool(id)).size;
  } catch (error) {
    if (error instanceof StorageError) return null;
    throw error;
  }
}
