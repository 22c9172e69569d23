/** A draft's own video, to look at before it is sent and to save as a file. */

import { openVideo, type OpenVideo } from "../crypto/video";
import { toFaststart } from "../media/save";
import { endPrefix } from "../media/repair";
import { openDatabase } from "../storage/db";
import { Drafts } from "../storage/drafts";
import { StorageError } from "../storage/errors";
import { openSpool, type SpoolReader } from "../storage/spool";
import { plaintextOf } from "./crash";

type Open = (messageKey: string, source: SpoolReader, parts: readonly string[]) => Promise<OpenVideo>;

/** Opens a complete draft for playing; `open` may be that of the crypto worker. @throws StorageError not-on-this-device, ProtocolError video-damaged */
export async function openDraftVideo(id: string, open: Open = openVideo): Promise<OpenVideo> {
  const { content } = await new Drafts(await openDatabase()).get(id);
  if (content.video === null) throw new StorageError("not-on-this-device");
  return open(content.messageKey, await openSpool(id), content.video.sha256);
}

/** The draft as an ordinary .mp4, also one that was interrupted. @throws StorageError, ProtocolError, NotSaveable */
export async function exportDraft(id: string, open: Open = openVideo): Promise<Blob> {
  const draft = await new Drafts(await openDatabase()).get(id);
  if (draft.content.video !== null) return toFaststart(await openDraftVideo(id, open));
  const film = endPrefix(await plaintextOf(draft));
  if (film === null) throw new StorageError("not-on-this-device");
  const whole = new Blob([film.data]);
  return toFaststart({ plainSize: whole.size, stream: (from) => whole.slice(from).stream() });
}
