import { FragmentReader } from "./fragments.ts";
import type { Movie } from "./movie.ts";

/** How far the written bytes reach: `bytes` of the MP4 hold the take up to `ms`. */
export interface Reach {
  bytes: number;
  ms: number;
}

/** Passes the MP4 on to a sink, in order, and knows at every moment what has been written. Leaves the sink open. */
export class Tally {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader = new FragmentReader();
  readonly #onReach: (reach: Reach) => void;
  movie: Movie | null = null;
  bytes = 0;
  reach: Reach = { bytes: 0, ms: 0 };
  /** What the sink answered when it took no more. */
  refusal: unknown = null;

  constructor(sink: WritableStream<Uint8Array>, onReach: (reach: Reach) => void) {
    this.#writer = sink.getWriter();
    this.#onReach = onReach;
  }

  async write(data: Uint8Array): Promise<void> {
    // The muxer uses its buffers again; the sink may hold on to what it is given.
    const bytes = data.slice();
    try {
      await this.#writer.ready;
      await this.#writer.write(bytes);
    } catch (error) {
      this.refusal ??= error;
      throw error;
    }
    this.bytes += bytes.length;
    this.#note(bytes);
  }

  release(): void {
    this.#writer.releaseLock();
  }

  #note(bytes: Uint8Array): void {
    for (const unit of this.#reader.push(bytes)) {
      if (unit.kind === "head") this.movie = unit.movie;
      else if (unit.kind === "fragment") {
        this.reach = { bytes: unit.end, ms: Math.max(this.reach.ms, Math.round(unit.lastS * 1000)) };
        this.#onReach(this.reach);
      }
    }
  }
}
