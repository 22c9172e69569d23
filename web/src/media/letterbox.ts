import type { Size } from "./size.ts";

/** Where a picture of one size stands, whole and in the middle, in another. Pure. */
export function fitted(picture: Size, box: Size): Size & { x: number; y: number } {
  const scale = Math.min(box.width / picture.width, box.height / picture.height);
  const [width, height] = [Math.round(picture.width * scale), Math.round(picture.height * scale)];
  return { width, height, x: Math.round((box.width - width) / 2), y: Math.round((box.height - height) / 2) };
}

/** Gives frames of any size the same size, with black where the shape differs. */
export class Letterbox {
  readonly #box: Size;
  readonly #isAlwaysDrawn: boolean;
  #context: OffscreenCanvasRenderingContext2D | null = null;

  /** A camera's own format may be none that an encoder takes; what is drawn is one that each takes, at some cost. */
  constructor(box: Size, isAlwaysDrawn: boolean) {
    this.#box = box;
    this.#isAlwaysDrawn = isAlwaysDrawn;
  }

  /** The frame as it is encoded, to be closed by the caller. */
  framed(frame: VideoFrame, timing: { timestamp: number; duration: number }): VideoFrame {
    const { displayWidth: width, displayHeight: height } = frame;
    const isSame = width === this.#box.width && height === this.#box.height;
    return new VideoFrame(isSame && !this.#isAlwaysDrawn ? frame : this.#drawn(frame, { width, height }), timing);
  }

  #drawn(frame: VideoFrame, size: Size): OffscreenCanvas {
    const { width, height } = this.#box;
    this.#context ??= new OffscreenCanvas(width, height).getContext("2d", { alpha: false });
    if (!this.#context) throw new TypeError("no canvas");
    const place = fitted(size, this.#box);
    this.#context.fillRect(0, 0, width, height);
    this.#context.drawImage(frame, place.x, place.y, place.width, place.height);
    return this.#context.canvas;
  }
}
