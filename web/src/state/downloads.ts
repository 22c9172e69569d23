/** Gives a person an ordinary file. */

import type { Plaintext } from "../media/plaintext";

/** Of a video: the index in front, H.264 and AAC, no tags. @throws NotSaveable, and whatever reading the video throws */
export async function fileOf(
  video: Pick<Plaintext, "plainSize" | "stream">,
  onProgress: (percent: number) => void,
  signal: AbortSignal,
): Promise<Blob> {
  const { toFaststart } = await import("../media/save");
  return toFaststart(video, { onProgress: (share) => onProgress(share * 100), signal });
}

/** `Ann 2026-11-22 14.05.mp4`: nothing that a file system refuses. */
export function fileName(name: string, atMs: number): string {
  const at = new Date(atMs);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const safe = name.replace(/[\p{Cc}\\/:*?"<>|.]+/gu, " ").trim();
  return `${safe || "Restante"} ${day} ${two(at.getHours())}.${two(at.getMinutes())}.mp4`;
}

const KEPT_FOR_MS = 60_000;

/** Puts a file into the downloads. */
export function giveFile(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // The download reads from the address after the click has returned.
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_FOR_MS);
}
