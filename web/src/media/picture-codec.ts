import type { PictureCodec } from "./codecs.ts";
import { pictureBitrate, type Size } from "./size.ts";

/** What the pictures of a take are encoded with. */
export interface EncoderChoice {
  codec: PictureCodec;
  /** RFC 6381. */
  name: string;
  size: Size;
}

const FRAME_RATE = 30;
/** Of level 3.1, in macroblocks. */
const SMALL = 3600;
const LATER: readonly [PictureCodec, string][] = [
  ["vp9", "vp09.00.31.08"],
  ["av1", "av01.0.05M.08"],
];

/** What this browser can encode at this size, H.264 first: it alone plays everywhere and is saved as it is. */
export async function chooseEncoder(size: Size): Promise<EncoderChoice | null> {
  for (const [codec, name] of [...h264(size), ...LATER]) {
    const choice = { codec, name, size };
    if (await isSupported(encoderConfig(choice, size, false))) return choice;
  }
  return null;
}

export function encoderConfig({ codec, name }: EncoderChoice, size: Size, isSoftware: boolean): VideoEncoderConfig {
  return {
    codec: name,
    ...size,
    bitrate: pictureBitrate(size),
    bitrateMode: "variable",
    framerate: FRAME_RATE,
    latencyMode: "realtime",
    alpha: "discard",
    hardwareAcceleration: isSoftware ? "prefer-software" : "no-preference",
    ...(codec === "avc" ? { avc: { format: "avc" } } : {}),
  };
}

/** High profile, else main, else baseline, at the level that the size needs. */
function h264({ width, height }: Size): [PictureCodec, string][] {
  const level = Math.ceil(width / 16) * Math.ceil(height / 16) <= SMALL ? "1f" : "28";
  return ["6400", "4d00", "42e0"].map((profile) => ["avc", `avc1.${profile}${level}`]);
}

async function isSupported(config: VideoEncoderConfig): Promise<boolean> {
  try {
    return (await VideoEncoder.isConfigSupported(config)).supported === true;
  } catch {
    return false;
  }
}
