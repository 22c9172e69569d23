/** Device time in, media time out. Pure: every instant is passed in, in milliseconds of the caller's one clock. */

/** Media time of one take: runs from its first picture and stands still while paused. */
export class TakeClock {
  #startedAt: number | null = null;
  #pausedAt: number | null = null;
  #pauses: { from: number; to: number }[] = [];

  get isStarted(): boolean {
    return this.#startedAt !== null;
  }

  get isPaused(): boolean {
    return this.#pausedAt !== null;
  }

  start(at: number): void {
    this.#startedAt ??= at;
  }

  pause(at: number): void {
    this.#pausedAt ??= at;
  }

  resume(at: number): void {
    if (this.#pausedAt === null) return;
    this.#pauses.push({ from: this.#pausedAt, to: Math.max(at, this.#pausedAt) });
    this.#pausedAt = null;
  }

  /** Media time of an instant, negative before the take; null when the take was paused then, or has not begun. */
  mediaAt(at: number): number | null {
    if (this.#startedAt === null) return null;
    if (this.#pausedAt !== null && at >= this.#pausedAt) return null;
    let paused = 0;
    for (const { from, to } of this.#pauses) {
      if (at >= to) paused += to - from;
      else if (at >= from) return null;
    }
    return at - this.#startedAt - paused;
  }

  /** How long the take is so far. */
  elapsed(now: number): number {
    if (this.#startedAt === null) return 0;
    const at = this.#pausedAt === null ? now : Math.min(now, this.#pausedAt);
    const paused = this.#pauses.reduce((sum, { from, to }) => sum + to - from, 0);
    return Math.max(0, at - this.#startedAt - paused);
  }
}

const WINDOW_MS = 1000;

/** A device that is late by more than `mostMs` has lost time; what it gives from then on is taken to be late by `keptMs`. */
export interface Lateness {
  mostMs: number;
  keptMs: number;
}

const CAMERA: Lateness = { mostMs: 300, keptMs: 0 };
/** An audio graph that cannot keep up stands still for moments. Of what it hears then the browser holds back about so much for it. */
export const AUDIO_GRAPH: Lateness = { mostMs: 100, keptMs: 80 };

/**
 * Maps a device's own timestamps to our clock: what arrives soonest was not late, so the least delay seen is taken
 * for none. A device whose clock stood still for a while (a suspended audio context) is late for a whole
 * window; then it is anchored anew.
 */
export class DeviceClock {
  readonly #lateness: Lateness;
  #offset: number | null = null;
  #least = Infinity;
  #windowEnd = -Infinity;

  constructor(lateness = CAMERA) {
    this.#lateness = lateness;
  }

  toClock(deviceMs: number, now: number): number {
    const offset = now - deviceMs;
    this.#offset = this.#offset === null ? offset : Math.min(this.#offset, offset);
    this.#watch(offset, now);
    return deviceMs + this.#offset;
  }

  #watch(offset: number, now: number): void {
    if (now >= this.#windowEnd) {
      const { mostMs, keptMs } = this.#lateness;
      if (this.#offset !== null && this.#least !== Infinity && this.#least - this.#offset > mostMs) {
        this.#offset = Math.min(this.#least - keptMs, offset);
      }
      this.#least = Infinity;
      this.#windowEnd = now + WINDOW_MS;
    }
    this.#least = Math.min(this.#least, offset);
  }
}

/** Decides which pictures are shown: in order, not closer than the spacing, none that starts at the end or later. */
export class PictureTrack {
  readonly #spacingMs: number;
  lastMs: number | null = null;

  constructor(spacingMs: number) {
    this.#spacingMs = spacingMs;
  }

  accepts(mediaMs: number, endMs: number): boolean {
    if (mediaMs < 0 || mediaMs >= endMs) return false;
    return this.lastMs === null || mediaMs - this.lastMs >= this.#spacingMs;
  }
}

/** What to do with a block of sound: write so much silence, leave out its first samples, write the rest up to `end`. */
export interface Placement {
  silence: number;
  from: number;
  end: number;
}

const TOLERANCE_MS = 40;

/** Keeps sound one gapless track, though blocks come late, twice or not at all. Counts samples. */
export class SoundTrack {
  readonly rate: number;
  written = 0;

  constructor(rate: number) {
    this.rate = rate;
  }

  get endMs(): number {
    return (this.written / this.rate) * 1000;
  }

  /** Small deviations are clock jitter and left alone, since correcting them would click; `isExact` corrects them, too. */
  place(mediaMs: number, count: number, endMs: number, isExact = false): Placement {
    const start = this.#samples(mediaMs);
    const drift = start - this.written;
    const isJitter = !isExact && this.written > 0 && Math.abs(drift) <= this.#samples(TOLERANCE_MS);
    const silence = isJitter ? 0 : Math.max(0, Math.min(drift, this.#room(endMs)));
    const from = isJitter ? 0 : Math.min(count, Math.max(0, -drift));
    const end = from + Math.max(0, Math.min(count - from, this.#room(endMs) - silence));
    this.written += silence + end - from;
    return { silence, from, end };
  }

  /** Takes note of silence up to a media time and says how much of it there is. */
  fillTo(mediaMs: number): number {
    const silence = Math.max(0, this.#samples(mediaMs) - this.written);
    this.written += silence;
    return silence;
  }

  #room(endMs: number): number {
    return Math.max(0, this.#samples(endMs) - this.written);
  }

  #samples(ms: number): number {
    return Math.round((ms / 1000) * this.rate);
  }
}
