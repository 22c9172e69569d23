/**
 * [Note: Crash rule] Sealing is never resumed: its nonces would repeat. What a crash left is decrypted with the draft's key, ended as a
 * valid MP4, sealed again under a new message key into a new spool, and only then put in the old one's place.
 */

import { openHeader } from "../crypto/age";
import { ChunkOpener } from "../crypto/payload";
import { posterOfFilm } from "../media/film-poster";
import { endPrefix } from "../media/repair";
import { b64, concat } from "../protocol/encoding";
import { newId } from "../protocol/ids";
import { emptyContent, type Draft, type DraftContent, type Drafts } from "../storage/drafts";
import { StorageError } from "../storage/errors";
import { holding } from "../storage/ownership";
import { joined, openSide } from "../storage/side";
import { openSpool, readSides, removeSpool, Spool } from "../storage/spool";
import { newMessageKey, SealingSink } from "./sealing-sink";

const PIECE_BYTES = 256 * 1024;

/** Makes an interrupted take whole; null when nothing of it plays. @throws StorageError */
export async function makeWhole(drafts: Drafts, id: string): Promise<Draft | null> {
  const draft = await drafts.get(id);
  if (draft.content.video !== null) return draft;
  const film = endPrefix(await plaintextOf(draft));
  if (film === null) return null;
  const fresh = { id: newId("msg"), acct: draft.acct, createdMs: draft.createdMs, messageKey: newMessageKey() };
  return holding(fresh.id, async () => {
    const sealing = await sealedAgain(fresh.id, fresh.messageKey, film.data);
    const { upload, abandoned, wish, events = [], call } = draft.content;
    const poster = await posterOfFilm(film.data);
    const content: DraftContent = {
      ...emptyContent(fresh.messageKey),
      video: { ...sealing, type: film.type, ms: film.ms, w: film.width, h: film.height },
      poster: poster && { type: poster.type, data: b64(poster.data) },
      wish,
      events,
      ...(call && { call }),
      abandoned: upload ? [...abandoned, upload] : abandoned,
    };
    const whole = await drafts.replace(id, fresh, content);
    await removeSpool(id);
    return whole;
  });
}

/** What the encoder had given when a take was cut short, as far as it was kept. */
export async function plaintextOf(draft: Draft): Promise<Uint8Array<ArrayBuffer>> {
  const spool = await openSpool(draft.id).catch((error: unknown) => {
    if (error instanceof StorageError && error.code === "not-on-this-device") return null;
    throw error;
  });
  const prefix =
    spool === null ? new Uint8Array(0) : await openPrefix(draft.content.messageKey, await spool.read(0, spool.size));
  const records = spool === null ? [] : await readSides(draft.id);
  return joined(prefix, await Promise.all(records.map((record) => openSide(draft.key, draft.id, record))));
}

/** The plaintext of every whole chunk of a cut file; what is torn behind them is left. */
export async function openPrefix(messageKey: string, bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  try {
    const { cipher, start } = await openHeader(bytes, [messageKey], { stanzas: 1 });
    for (const piece of new ChunkOpener(cipher).push(bytes.subarray(start))) pieces.push(piece);
  } catch (error) {
    console.warn("the spool ends in what does not open", error instanceof Error ? error.name : "");
  }
  return concat(...pieces);
}

async function sealedAgain(
  id: string,
  messageKey: string,
  film: Uint8Array,
): Promise<{ size: number; sha256: string[] }> {
  const spool = await Spool.make(id);
  try {
    const sink = new SealingSink({ id, messageKey, sideKey: null, spool, onSpooled: () => undefined });
    const writer = sink.writable.getWriter();
    for (let at = 0; at < film.length; at += PIECE_BYTES) await writer.write(film.slice(at, at + PIECE_BYTES));
    const sealing = await sink.finish();
    await spool.settle();
    return sealing;
  } catch (error) {
    spool.close();
    await removeSpool(id).catch(() => undefined);
    throw error;
  } finally {
    spool.close();
  }
}
