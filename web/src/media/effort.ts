/** Judges whether an encoder keeps up. Pure: every instant is passed in, in milliseconds. */

const WINDOW_MS = 1000;
/** Fewer frames say nothing. */
const AT_LEAST = 5;
/** Frames that waited in a stall come all at once; that, too, says nothing. */
const SPAN_MS = 700;
const LATE_QUEUE = 4;
const LATE_SHARE = 0.6;
/** So long a change is given to show its effect. */
const CALM_MS = 1500;

export class Effort {
  #frames: { at: number; isLate: boolean }[] = [];
  #calmUntil = -Infinity;

  /** Takes note of a frame: how many wait before it, and whether it had to be left out. */
  note(at: number, waiting: number, isDropped: boolean): void {
    this.#frames.push({ at, isLate: isDropped || waiting >= LATE_QUEUE });
    while (this.#frames[0] && this.#frames[0].at < at - WINDOW_MS) this.#frames.shift();
  }

  /** Whether most frames of the last second were late. */
  isBehind(at: number): boolean {
    const [first] = this.#frames;
    if (at < this.#calmUntil || this.#frames.length < AT_LEAST || !first || at - first.at < SPAN_MS) return false;
    const late = this.#frames.filter(({ isLate }) => isLate).length;
    return late >= LATE_SHARE * this.#frames.length;
  }

  /** An encoder begins: what was before says nothing any more. */
  begin(at: number, calmMs = CALM_MS): void {
    this.#frames = [];
    this.#calmUntil = at + calmMs;
  }
}
