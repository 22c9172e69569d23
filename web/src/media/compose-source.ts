import { trackProcessor } from "./feeds.ts";
import type { Size } from "./size.ts";

type Context = OffscreenCanvasRenderingContext2D | CanvasRenderingContext2D;
export type Place = Size & { x: number; y: number };

/** What a track shows at the moment. */
export interface Picture {
  /** Null until there is something to see. */
  readonly size: Size | null;
  draw(context: Context, from: Place, to: Place): void;
  close(): void;
}

/** Follows a track, which stays its owner's; `onFrame` is called at each new frame. */
export function pictureOf(track: MediaStreamTrack, onFrame: () => void): Picture {
  return trackProcessor() ? new ReadPicture(track, onFrame) : new PlayedPicture(track, onFrame);
}

class ReadPicture implements Picture {
  readonly #reader: ReadableStreamDefaultReader<VideoFrame>;
  #frame: VideoFrame | null = null;
  #isOpen = true;

  constructor(track: MediaStreamTrack, onFrame: () => void) {
    const Processor = trackProcessor();
    if (!Processor) throw new TypeError("no track processor");
    this.#reader = new Processor({ track }).readable.getReader();
    this.#follow(onFrame).catch(() => undefined); // a track that breaks has ended
  }

  get size(): Size | null {
    return this.#frame && { width: this.#frame.displayWidth, height: this.#frame.displayHeight };
  }

  draw(context: Context, from: Place, to: Place): void {
    if (this.#frame) drawPart(context, this.#frame, from, to);
  }

  close(): void {
    this.#isOpen = false;
    this.#reader.cancel().catch(() => undefined);
    this.#frame?.close();
    this.#frame = null;
  }

  async #follow(onFrame: () => void): Promise<void> {
    for (;;) {
      const { value, done } = await this.#reader.read();
      if (done) return;
      if (!this.#isOpen) return value.close(); // was on its way
      this.#frame?.close();
      this.#frame = value;
      onFrame();
    }
  }
}

/** Where frames cannot be read, those of a video element that plays the track can be drawn. */
class PlayedPicture implements Picture {
  readonly #element = document.createElement("video");
  #isOpen = true;

  constructor(track: MediaStreamTrack, onFrame: () => void) {
    this.#element.muted = true;
    this.#element.playsInline = true;
    this.#element.srcObject = new MediaStream([track]);
    const next = (): void => {
      if (!this.#isOpen) return;
      this.#element.requestVideoFrameCallback(next);
      onFrame();
    };
    this.#element.requestVideoFrameCallback(next);
    this.#element.play().catch(() => undefined);
  }

  get size(): Size | null {
    const { videoWidth: width, videoHeight: height } = this.#element;
    return this.#isOpen && width > 0 ? { width, height } : null;
  }

  draw(context: Context, from: Place, to: Place): void {
    drawPart(context, this.#element, from, to);
  }

  close(): void {
    this.#isOpen = false;
    this.#element.srcObject = null;
  }
}

function drawPart(context: Context, picture: CanvasImageSource, from: Place, to: Place): void {
  context.drawImage(picture, from.x, from.y, from.width, from.height, to.x, to.y, to.width, to.height);
}
