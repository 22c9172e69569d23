import type { Size } from "./size.ts";

type Context = OffscreenCanvasRenderingContext2D | CanvasRenderingContext2D;

/** A track whose pictures are painted. */
export interface Painter {
  readonly track: MediaStreamTrack;
  paint(draw: (context: Context) => void): void;
  close(): void;
}

interface TrackGenerator extends MediaStreamTrack {
  readonly writable: WritableStream<VideoFrame>;
}
type TrackGeneratorType = new (options: { kind: "video" }) => TrackGenerator;

/** The best that this browser has: only generated tracks go on while the page is hidden. */
export function painterOf(size: Size): Painter {
  const Generator = (globalThis as { MediaStreamTrackGenerator?: TrackGeneratorType }).MediaStreamTrackGenerator;
  return Generator ? new GeneratingPainter(size, new Generator({ kind: "video" })) : new CanvasPainter(size);
}

class GeneratingPainter implements Painter {
  readonly track: TrackGenerator;
  readonly #context: OffscreenCanvasRenderingContext2D;
  readonly #writer: WritableStreamDefaultWriter<VideoFrame>;
  #isBusy = false;

  constructor({ width, height }: Size, track: TrackGenerator) {
    const context = new OffscreenCanvas(width, height).getContext("2d", { alpha: false });
    if (!context) throw new TypeError("no canvas");
    this.#context = context;
    this.track = track;
    this.#writer = track.writable.getWriter();
  }

  paint(draw: (context: Context) => void): void {
    if (this.#isBusy) return;
    draw(this.#context);
    const frame = new VideoFrame(this.#context.canvas, { timestamp: Math.round(performance.now() * 1000) });
    this.#isBusy = true;
    this.#writer
      .write(frame)
      .catch(() => frame.close()) // the track was stopped
      .finally(() => (this.#isBusy = false));
  }

  close(): void {
    this.#writer.close().catch(() => undefined);
    this.track.stop();
  }
}

class CanvasPainter implements Painter {
  readonly track: MediaStreamTrack;
  readonly #context: CanvasRenderingContext2D;

  constructor({ width, height }: Size) {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d", { alpha: false });
    const [track] = canvas.captureStream(30).getVideoTracks();
    if (!context || !track) throw new TypeError("no canvas");
    this.#context = context;
    this.track = track;
  }

  paint(draw: (context: Context) => void): void {
    draw(this.#context);
  }

  close(): void {
    this.track.stop();
  }
}
