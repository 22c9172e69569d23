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

/** Puts a file into the downloads; on an iPhone or iPad it goes through the sheet that can put it among the films. */
export function giveFile(file: Blob, name: string): void {
  const named = new File([file], name, { type: file.type });
  if (!isAppleTouch() || navigator.canShare?.({ files: [named] }) !== true) return download(file, name);
  navigator.share({ files: [named] }).catch((error: unknown) => {
    // Closed by the person: they do not want it. Else the press was too long ago, or the sheet takes no films.
    if (!(error instanceof DOMException && error.name === "AbortError")) download(file, name);
  });
}

/** An iPad says that it is a Mac. */
function isAppleTouch(): boolean {
  return /iPhone|iPad|Macintosh/.test(navigator.userAgent) && navigator.maxTouchPoints > 1;
}

function download(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // The download reads from the address after the click has returned.
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_FOR_MS);
}
