import { Quality } from "mediabunny";

const BITRATE = 96_000;

/** Sound is one channel at 96 kbit/s. In a file of its own: whoever saves needs this, but not the encoder. */
export function soundQuality(): Quality {
  return new Quality({ bitrate: BITRATE });
}
