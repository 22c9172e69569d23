import type { Size } from "./size.ts";

/** A still picture for lists; it travels in the details. */
export interface Poster {
  type: "image/webp" | "image/jpeg";
  data: Uint8Array<ArrayBuffer>;
}

const MOST_BYTES = 24_576;
const SEARCH_MS = 3000;
const STEP_MS = 250;
const SHARP_ENOUGH = 0.6;
const SIDES = [480, 320, 160];
const QUALITIES = [0.8, 0.6, 0.4, 0.2];
const SAMPLE = 64;

/** Gathers candidates of the first three seconds, four a second, and chooses one at the end. */
export class PosterFinder {
  #candidates: { sharpness: number; picture: OffscreenCanvas }[] = [];
  #nextMs = 0;
  readonly #sample = new OffscreenCanvas(SAMPLE, SAMPLE).getContext("2d", { willReadFrequently: true });

  /** Whether a picture of this moment would be looked at. */
  wants(mediaMs: number): boolean {
    return mediaMs >= this.#nextMs && mediaMs < SEARCH_MS;
  }

  /** Looks at a picture; it is not kept. Later ones than the search covers are passed over. */
  consider(picture: CanvasImageSource, size: Size, mediaMs: number): void {
    if (!this.wants(mediaMs) || !this.#sample) return;
    this.#nextMs = mediaMs + STEP_MS;
    this.#sample.drawImage(picture, 0, 0, SAMPLE, SAMPLE);
    const sharpness = sharpnessOf(this.#sample.getImageData(0, 0, SAMPLE, SAMPLE).data);
    this.#candidates.push({ sharpness, picture: drawn(picture, size, SIDES[0] ?? 480) });
  }

  /** The first picture nearly as sharp as the sharpest, in at most 24 KiB; null when there was none. */
  async choose(): Promise<Poster | null> {
    const best = Math.max(...this.#candidates.map(({ sharpness }) => sharpness));
    const found = this.#candidates.find(({ sharpness }) => sharpness >= SHARP_ENOUGH * best);
    this.#candidates = [];
    return found ? encoded(found.picture) : null;
  }
}

/** One picture as a poster; null when it cannot be made small enough. */
export async function posterOf(picture: CanvasImageSource, size: Size): Promise<Poster | null> {
  return encoded(drawn(picture, size, SIDES[0] ?? 480));
}

async function encoded(picture: OffscreenCanvas): Promise<Poster | null> {
  for (const side of SIDES) {
    const small = side === SIDES[0] ? picture : drawn(picture, picture, side);
    for (const quality of QUALITIES) {
      const blob = await imageOf(small, quality);
      if (blob && blob.size <= MOST_BYTES) {
        return { type: blob.type as Poster["type"], data: new Uint8Array(await blob.arrayBuffer()) };
      }
    }
  }
  return null;
}

/** A browser that cannot write a type answers with PNG, so the type that came is looked at. */
async function imageOf(canvas: OffscreenCanvas, quality: number): Promise<Blob | null> {
  for (const type of ["image/webp", "image/jpeg"]) {
    const blob = await canvas.convertToBlob({ type, quality });
    if (blob.type === type) return blob;
  }
  return null;
}

function drawn(picture: CanvasImageSource, size: Size, side: number): OffscreenCanvas {
  const scale = Math.min(1, side / Math.max(size.width, size.height));
  const [width, height] = [Math.max(1, Math.round(size.width * scale)), Math.max(1, Math.round(size.height * scale))];
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d", { alpha: false })?.drawImage(picture, 0, 0, width, height);
  return canvas;
}

/** Mean square of the second differences of a small grey picture; black and blur have little of it. */
export function sharpnessOf(rgba: Uint8ClampedArray, side = SAMPLE): number {
  const grey = new Float32Array(side * side);
  for (let at = 0; at < grey.length; at++) {
    const [red, green, blue] = rgba.subarray(at * 4, at * 4 + 3);
    grey[at] = 0.299 * (red ?? 0) + 0.587 * (green ?? 0) + 0.114 * (blue ?? 0);
  }
  const at = (index: number): number => grey[index] ?? 0;
  let total = 0;
  for (let row = 1; row < side - 1; row++) {
    for (let index = row * side + 1; index < row * side + side - 1; index++) {
      total += (4 * at(index) - at(index - 1) - at(index + 1) - at(index - side) - at(index + side)) ** 2;
    }
  }
  return total / (side * side);
}
