import type { Fragment } from "./fragments.ts";
import type { Place } from "./search.ts";

interface Stretch {
  to: number;
  start: number;
  startS: number;
  endS: number;
}

/** Which fragments a player has been given. Keyed by the file offset after which each follows, so that a chain shows holes. */
export class Loaded {
  readonly #after = new Map<number, Stretch>();
  /** Where the head ends. */
  first = 0;
  /** Where the last fragment ends, once the end of the file was seen. */
  tail: number | null = null;

  add(after: number, { start, end, startS, endS }: Fragment): void {
    this.#after.set(after, { to: end, start, startS, endS });
  }

  /** Follows what is loaded from an offset on to the first that is not. */
  follow(offset: number): number {
    for (let at = offset; ;) {
      const next = this.#after.get(at);
      if (!next || next.to <= at) return at;
      at = next.to;
    }
  }

  get isWhole(): boolean {
    return this.tail !== null && this.follow(this.first) === this.tail;
  }

  /** Forgets what the browser has thrown out. */
  keep(isBuffered: (timeS: number) => boolean): void {
    for (const [after, { startS, endS }] of this.#after) {
      if (!isBuffered((startS + endS) / 2)) this.#after.delete(after);
    }
  }

  /** The nearest known places around a time. */
  around(timeS: number, end: Place): { low: Place; high: Place } {
    let low: Place = { offset: this.first, startS: 0 };
    let high = end;
    for (const { start, startS } of this.#after.values()) {
      if (startS <= timeS && startS >= low.startS) low = { offset: start, startS };
      if (startS > timeS && startS < high.startS) high = { offset: start, startS };
    }
    return { low, high };
  }
}
