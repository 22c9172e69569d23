/**
 * Screen and camera in one picture of constant size: the screen as large as it goes, the person in a round bubble at its lower
 * right. The person, or the browser's own button, may end the screen at any moment; then the camera fills the picture.
 */

import { type Painter, painterOf } from "./compose-output.ts";
import { type Picture, pictureOf } from "./compose-source.ts";
import { fitted } from "./letterbox.ts";
import type { Size } from "./size.ts";

const SPACING_MS = 1000 / 30 - 4;
/** A screen on which nothing moves gives no frames, but a picture that stands still for long would count as lost. */
const REPEAT_MS = 400;
const BUBBLE = 0.3;
const MARGIN = 0.04;
const RING = 0.006;

/** Composes while it is open, also in a page that is hidden: frames drive it, not the screen's refresh. */
export class Composer {
  readonly #size: Size;
  readonly #painter: Painter;
  readonly #timer: ReturnType<typeof setInterval>;
  #screen: Picture | null = null;
  #camera: Picture | null = null;
  #paintedAt = -Infinity;

  constructor(size: Size) {
    this.#size = size;
    this.#painter = painterOf(size);
    this.#timer = setInterval(() => this.#paint(REPEAT_MS), REPEAT_MS);
  }

  /** What is composed; always the same track. */
  get track(): MediaStreamTrack {
    return this.#painter.track;
  }

  showScreen(track: MediaStreamTrack | null): void {
    this.#screen?.close();
    this.#screen = track && pictureOf(track, () => this.#paint(SPACING_MS));
  }

  showCamera(track: MediaStreamTrack | null): void {
    this.#camera?.close();
    this.#camera = track && pictureOf(track, () => this.#paint(SPACING_MS));
  }

  close(): void {
    clearInterval(this.#timer);
    this.showScreen(null);
    this.showCamera(null);
    this.#painter.close();
  }

  #paint(spacingMs: number): void {
    const now = performance.now();
    if (now - this.#paintedAt < spacingMs) return;
    const screen = this.#screen?.size ? this.#screen : null;
    const camera = this.#camera?.size ? this.#camera : null;
    if (!screen && !camera) return;
    this.#paintedAt = now;
    this.#painter.paint((context) => {
      context.fillStyle = "#000";
      context.fillRect(0, 0, this.#size.width, this.#size.height);
      const whole = screen ?? camera;
      if (whole?.size) whole.draw(context, { x: 0, y: 0, ...whole.size }, fitted(whole.size, this.#size));
      if (screen && camera) this.#paintBubble(context, camera);
    });
  }

  #paintBubble(context: OffscreenCanvasRenderingContext2D | CanvasRenderingContext2D, camera: Picture): void {
    if (!camera.size) return;
    const { at, side, ring } = bubbleIn(this.#size);
    const [x, y, radius] = [at.x + side / 2, at.y + side / 2, side / 2];
    context.save();
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.clip();
    camera.draw(context, squareOf(camera.size), { ...at, width: side, height: side });
    context.restore();
    context.beginPath();
    context.arc(x, y, radius - ring / 2, 0, 2 * Math.PI);
    context.strokeStyle = "#fff";
    context.lineWidth = ring;
    context.stroke();
  }
}

/** Where the bubble stands. Pure. */
export function bubbleIn({ width, height }: Size): { at: { x: number; y: number }; side: number; ring: number } {
  const least = Math.min(width, height);
  const [side, margin] = [Math.round(least * BUBBLE), Math.round(least * MARGIN)];
  return { at: { x: width - margin - side, y: height - margin - side }, side, ring: Math.max(2, least * RING) };
}

/** The middle of a picture, as high as wide. Pure. */
export function squareOf({ width, height }: Size): Size & { x: number; y: number } {
  const side = Math.min(width, height);
  return { x: (width - side) / 2, y: (height - side) / 2, width: side, height: side };
}
