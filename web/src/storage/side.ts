/**
 * [Note: Side record] age seals 64 KiB at a time, at low bitrates more than a second. What the encoder gave and no chunk in the
 * spool holds yet is kept beside it, sealed with the draft's own key: two slots in turn, each whole in itself, so
 * that a crash in the middle of writing one leaves the other.
 */

import { concat, utf8 } from "../protocol/encoding";
import { openBytes, sealBytes } from "./sealing";

/** Plaintext that begins at `offset` of the MP4. */
export interface Side {
  number: number;
  offset: number;
  plain: Uint8Array<ArrayBuffer>;
}

const MAGIC = utf8("RSIDE1\0\0");
const IV_BYTES = 12;
const HEAD_BYTES = MAGIC.length + 8 + IV_BYTES;

export async function sealSide(key: CryptoKey, id: string, side: Side): Promise<Uint8Array<ArrayBuffer>> {
  const place = new Uint8Array(8);
  const view = new DataView(place.buffer);
  view.setUint32(0, side.number);
  view.setUint32(4, side.offset);
  const { iv, data } = await sealBytes(key, labelOf(id, side.number, side.offset), side.plain);
  return concat(MAGIC, place, iv, data);
}

/** Null for what is torn, foreign or of another draft. */
export async function openSide(key: CryptoKey, id: string, record: Uint8Array<ArrayBuffer>): Promise<Side | null> {
  if (record.length < HEAD_BYTES || MAGIC.some((byte, at) => record[at] !== byte)) return null;
  const view = new DataView(record.buffer, record.byteOffset);
  const number = view.getUint32(MAGIC.length);
  const offset = view.getUint32(MAGIC.length + 4);
  const iv = record.slice(MAGIC.length + 8, HEAD_BYTES);
  try {
    const plain = await openBytes(key, labelOf(id, number, offset), { iv, data: record.slice(HEAD_BYTES) });
    return { number, offset, plain };
  } catch {
    return null;
  }
}

/** Goes on from the plaintext of the spool's whole chunks with what the newest side record has beyond them. */
export function joined(prefix: Uint8Array<ArrayBuffer>, sides: readonly (Side | null)[]): Uint8Array<ArrayBuffer> {
  const fitting = sides.filter((side) => side !== null && side.offset <= prefix.length);
  const newest = fitting.reduce<Side | null>(
    (best, side) => (side && (!best || side.number > best.number) ? side : best),
    null,
  );
  if (newest === null || newest.offset + newest.plain.length <= prefix.length) return prefix;
  return concat(prefix, newest.plain.subarray(prefix.length - newest.offset));
}

function labelOf(id: string, number: number, offset: number): string {
  return `side ${id} ${number} ${offset}`;
}
