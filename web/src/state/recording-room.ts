/** Around a recording: its place on this device, whether the microphone hears anything, a screen that stays lit. */

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

/** Keeps the screen from going dark; the browser lets go of it when the page is hidden, so it is asked for again. */
export class ScreenLight {
  #lock: Promise<WakeLockSentinel | null> | null = null;
  readonly #seen = (): void => {
    if (!document.hidden) this.#ask();
  };

  keep(): void {
    document.addEventListener("visibilitychange", this.#seen);
    this.#ask();
  }

  release(): void {
    document.removeEventListener("visibilitychange", this.#seen);
    void this.#lock?.then((lock) => lock?.release()).catch(() => undefined);
    this.#lock = null;
  }

  #ask(): void {
    // Absent in some browsers, whatever its type says; refused on a low battery.
    const { wakeLock } = navigator as { wakeLock?: WakeLock };
    this.#lock = wakeLock?.request("screen").catch(() => null) ?? null;
  }
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
