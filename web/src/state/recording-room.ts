/** Whether what is recorded still has a place on this device, and whether the microphone hears anything. */

import { roomBytes } from "../storage/db";

/** What a second of recording takes at most, with its seal. */
const SECOND_BYTES = 240_000;
/** Below this much it is said. */
const TELL_BELOW_S = 240;
const LOOK_EVERY_MS = 4000;

/** Tells how many seconds still fit, as long as that is worth telling; null when there is room enough. */
export function watchRoom(tell: (seconds: number | null) => void): () => void {
  const look = (): void => {
    roomBytes().then(
      (bytes) => tell(bytes / SECOND_BYTES < TELL_BELOW_S ? Math.floor(bytes / SECOND_BYTES) : null),
      () => tell(null), // not known: recording itself will tell
    );
  };
  look();
  const timer = setInterval(look, LOOK_EVERY_MS);
  return () => clearInterval(timer);
}

const SILENCE_MS = 4000;
/** What even a quiet room gives. */
const QUIET = 0.0005;

/** Notices a microphone that gives nothing at all: muted by a switch, or held by somebody else. */
export class Hearing {
  #heardMs: number;

  constructor(nowMs: number) {
    this.#heardMs = nowMs;
  }

  hear(peak: number, nowMs: number): void {
    if (peak > QUIET) this.#heardMs = nowMs;
  }

  isSilent(nowMs: number): boolean {
    return nowMs - this.#heardMs > SILENCE_MS;
  }
}
