/** What can be changed in a draft before it is sent: its ends, its poster, its captions. */

import { isTimed, parseCaptions, spreadCaptions, writeCaptions } from "../media/captions";
import { newId } from "../protocol/ids";
import { openDatabase } from "../storage/db";
import { Drafts, type DraftContent } from "../storage/drafts";
import { StorageError } from "../storage/errors";
import { letGo } from "./bringers";
import { make, type MakingProgress } from "./making";

export { CaptionsRefused } from "../media/captions";
export { FileRefused } from "../media/file-refused";

/**
 * Takes away what lies outside `fromMs` to `toMs`, really: the rest is encoded again under a new message key. The new draft takes
 * the old one's place when all of it is kept; until then, and when it is cancelled or fails, the old one stays as it was.
 * @throws FileRefused cut-too-short, no-encoder; StorageError busy, device-full, not-on-this-device; the signal's reason
 */
export async function trimDraft(
  id: string,
  cut: { fromMs: number; toMs: number },
  progress: MakingProgress = {},
): Promise<string> {
  progress.signal?.throwIfAborted();
  letGo(id);
  return make({ type: "trim", id: newId("msg"), old: id, cut }, progress);
}

/** Makes the picture at this moment the draft's poster. @throws StorageError, FileRefused file-no-picture */
export async function setPoster(id: string, ms: number): Promise<void> {
  await make({ type: "poster", id, ms }, {});
}

/** Gives a draft captions from WebVTT, SRT or plain lines, typed or read from a file; null takes them away. @throws CaptionsRefused, StorageError */
export async function setCaptions(id: string, text: string | null): Promise<void> {
  const drafts = new Drafts(await openDatabase());
  await drafts.change(id, (content) => editable(content, { captions: captionsOf(text, content) }));
}

/** What is on its way already stays as it was sealed. */
function editable(content: DraftContent, change: Partial<DraftContent>): Partial<DraftContent> {
  if (content.wish !== null) throw new StorageError("busy");
  return { ...change, request: null };
}

function captionsOf(text: string | null, { video }: DraftContent): string | null {
  if (text === null) return null;
  if (video === null) throw new StorageError("not-on-this-device");
  return writeCaptions(isTimed(text) ? parseCaptions(text, video.ms) : spreadCaptions(text, video.ms));
}
