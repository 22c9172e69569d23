/** How loud it is, both 0 to 1. */
export interface Level {
  rms: number;
  peak: number;
}

/** One channel of sound. `frame` counts the samples of the audio context before this block. */
export interface SoundBlock {
  frame: number;
  rate: number;
  samples: Float32Array<ArrayBuffer>;
}
