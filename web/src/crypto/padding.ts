// Padding of a video by a trailing MP4 `free` box (docs/protocol/video.md, "Padding").

import { ProtocolError } from "../protocol/errors";
import { UPLOAD_BYTES } from "../protocol/limits";
import { CHUNK_BYTES, sealedSize } from "./layout";

/** `live`: to the next 64 KiB, the timing tells the length anyway. `file`: by Padmé, at most 12 %. */
export type Padding = "live" | "file";

const BOX_HEADER_BYTES = 8;
/** An age header with one X25519 stanza. */
const HEADER_BYTES = 168;

/** Computes the size of `video.age` from the size of its plaintext. */
export function videoSize(plainBytes: number): number {
  return HEADER_BYTES + sealedSize(plainBytes);
}

/** What fits into 64 MiB when sealed. */
export const MAX_PLAIN_BYTES = UPLOAD_BYTES - (videoSize(UPLOAD_BYTES) - UPLOAD_BYTES);

/** Rounds up so that about log2(log2(size)) bits of the size remain (Nikitin et al., PURBs, 2019). */
export function padme(size: number): number {
  if (size < 2) return size;
  const exponent = Math.floor(Math.log2(size));
  const step = 2 ** Math.max(0, exponent - Math.floor(Math.log2(exponent || 1)) - 1);
  return Math.ceil(size / step) * step;
}

/**
 * Computes how many bytes of `free` box follow `plainBytes`: 0, or at least its header's 8.
 * @throws ProtocolError video-too-large, when not even the bare plaintext fits
 */
export function paddingBytes(plainBytes: number, padding: Padding): number {
  if (plainBytes > MAX_PLAIN_BYTES) throw new ProtocolError("video-too-large");
  let wanted = target(plainBytes, padding);
  if (wanted > plainBytes && wanted < plainBytes + BOX_HEADER_BYTES) {
    wanted = target(plainBytes + BOX_HEADER_BYTES, padding);
  }
  const free = Math.min(wanted, MAX_PLAIN_BYTES) - plainBytes;
  return free >= BOX_HEADER_BYTES ? free : 0;
}

/** Makes the box that ends a live recording of so many bytes. @throws ProtocolError video-too-large */
export function livePadding(plainBytes: number): Uint8Array<ArrayBuffer> {
  return freeBox(paddingBytes(plainBytes, "live"));
}

/** Makes the box that ends an imported or re-sealed video. @throws ProtocolError video-too-large */
export function filePadding(plainBytes: number): Uint8Array<ArrayBuffer> {
  return freeBox(paddingBytes(plainBytes, "file"));
}

function freeBox(size: number): Uint8Array<ArrayBuffer> {
  const box = new Uint8Array(size);
  if (size === 0) return box;
  new DataView(box.buffer).setUint32(0, size);
  box.set([0x66, 0x72, 0x65, 0x65], 4); // "free"
  return box;
}

function target(size: number, padding: Padding): number {
  return padding === "live" ? Math.ceil(size / CHUNK_BYTES) * CHUNK_BYTES : padme(size);
}
