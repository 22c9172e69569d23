/** Screen and camera in one picture: the screen as large as it goes, the person in a round bubble at its lower right. */

import type { PictureFeed } from "./feeds.ts";

export type ScreenNews = "screen-ended" | "screen-back" | "camera-ended";

export interface ScreenWish {
  /** For the bubble; stays the caller's, who closes it. Null: the screen alone. */
  camera: MediaStream | null;
  /** Of the composed picture, which keeps this size. */
  width: number;
  height: number;
}

/** - `denied`: the person chose nothing. - `unsupported`: this browser shares no screen. - `failed`: the system did not let it. */
export type ScreenRefusal = "denied" | "unsupported" | "failed";

export class ScreenRefused extends Error {
  override readonly name = "ScreenRefused";

  constructor(
    readonly code: ScreenRefusal,
    options?: ErrorOptions,
  ) {
    super(code, options);
  }
}

/** A screen being shared, composed with the camera. Ending is the person's right at any moment; then the camera fills the picture. */
export interface Screen {
  /** The composed picture, for the preview. */
  readonly picture: MediaStream;
  /** The composed picture, for a take; used up by it. */
  readonly video: PictureFeed;
  /** The sound of what is shared, where the browser gives it, to be mixed with the microphone's. */
  readonly sound: MediaStream | null;
  onNews: ((news: ScreenNews) => void) | null;
  close(): void;
}

/** Whether this browser can share a screen; phones cannot. */
export function canShareScreen(): boolean {
  return "getDisplayMedia" in ((navigator.mediaDevices as MediaDevices | undefined) ?? {});
}
