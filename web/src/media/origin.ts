import { type Box, boxesIn } from "./boxes.ts";

const CONTAINERS = new Set(["moov", "trak", "mdia", "minf", "stbl"]);
const TIMED = new Set(["mvhd", "tkhd", "mdhd"]);
const PICTURES = new Set(["avc1", "avc3", "hvc1", "hev1", "vp08", "vp09", "av01"]);
const FREE = [0x66, 0x72, 0x65, 0x65];

/** Wipes, in place, what an MP4 says about when and by which program it was made. */
export function forgetOrigin(bytes: Uint8Array, from = 0, to: number = bytes.length): void {
  for (const box of boxesIn(bytes, from, to)) {
    if (CONTAINERS.has(box.type)) forgetOrigin(bytes, box.body, box.end);
    else if (TIMED.has(box.type)) wipeTimes(bytes, box);
    else if (box.type === "udta" || box.type === "meta") wipe(bytes, box);
    else if (box.type === "hdlr") bytes.fill(0, box.body + 24, box.end);
    else if (box.type === "stsd") wipeEncoderNames(bytes, box);
  }
}

/** A description of pictures names the program that compressed them, in 32 bytes. */
function wipeEncoderNames(bytes: Uint8Array, stsd: Box): void {
  for (const entry of boxesIn(bytes, stsd.body + 8, stsd.end)) {
    if (PICTURES.has(entry.type)) bytes.fill(0, entry.body + 42, entry.body + 74);
  }
}

/** The times of making and of changing follow version and flags. */
function wipeTimes(bytes: Uint8Array, box: Box): void {
  const isLong = bytes[box.body] === 1;
  bytes.fill(0, box.body + 4, box.body + 4 + (isLong ? 16 : 8));
}

function wipe(bytes: Uint8Array, box: Box): void {
  bytes.set(FREE, box.start + 4);
  bytes.fill(0, box.body, box.end);
}
