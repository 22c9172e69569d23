export interface Size {
  width: number;
  height: number;
}

const LONGEST_SIDE = 1280;

/** The output's size for a camera's: its shape, at most 1280 on the long side, both sides even. */
export function outputSize(camera: Size, longest = LONGEST_SIDE): Size {
  const scale = Math.min(1, longest / Math.max(camera.width, camera.height));
  const even = (side: number): number => Math.max(2, Math.round((side * scale) / 2) * 2);
  return { width: even(camera.width), height: even(camera.height) };
}

/** 1.5 Mbit/s for 1280 × 720, 0.8 for 854 × 480, in proportion between and beyond. */
export function pictureBitrate({ width, height }: Size): number {
  const share = (width * height) / (1280 * 720);
  return Math.round(Math.min(2_000_000, Math.max(150_000, 1_500_000 * share ** 0.78)));
}

/** How often pictures can become smaller: 720 lines, 480, 360. */
export const STEPS = 2;
const SHARES = [1, 2 / 3, 1 / 2];

/** The size of a step down, in the same shape as far as even sides allow. */
export function shrunk({ width, height }: Size, step: number): Size {
  return outputSize({ width, height }, Math.max(width, height) * (SHARES[step] ?? 1));
}
