import { type CameraFeed, openCameraFeed } from "./camera.ts";
import type { PictureFeed } from "./feeds.ts";
import { Microphone } from "./microphone.ts";
import type { Level } from "./sound.ts";

export type { Level } from "./sound.ts";

export interface CaptureWish {
  /** Device ids, as remembered; a device that is gone is replaced by another. */
  camera?: string;
  microphone?: string;
  width: number;
  height: number;
}

/** Why there is no camera: not allowed, none there, held by another program, or a page that may not ask. */
export type CaptureRefusal = "denied" | "none" | "busy" | "insecure";

export class CaptureRefused extends Error {
  readonly code: CaptureRefusal;

  constructor(code: CaptureRefusal, options?: ErrorOptions) {
    super(code, options);
    this.name = "CaptureRefused";
    this.code = code;
  }
}

const FRAME_RATE = 30;

/** Opens camera and microphone. A missing microphone is no refusal: `hasMicrophone` says so. Throws CaptureRefused. */
export async function openCapture(wish: CaptureWish): Promise<Capture> {
  const stream = await openStream(wish);
  try {
    return new Capture(stream, await Microphone.open(stream));
  } catch (error) {
    for (const track of stream.getTracks()) track.stop();
    throw error;
  }
}

/** An open camera and microphone. One take uses up `video` and `audio`; call `renew` before the next. */
export class Capture {
  /** For the preview; muted there, or it would echo. */
  readonly stream: MediaStream;
  readonly #microphone: Microphone | null;
  #camera: CameraFeed | null = null;
  #audio: MessagePort | null = null;
  onLevel: ((level: Level) => void) | null = null;
  onEnded: ((device: "camera" | "microphone") => void) | null = null;

  constructor(stream: MediaStream, microphone: Microphone | null) {
    this.stream = stream;
    this.#microphone = microphone;
    if (microphone) microphone.onLevel = (level) => this.onLevel?.(level);
    for (const track of stream.getTracks()) {
      track.onended = () => this.onEnded?.(track.kind === "video" ? "camera" : "microphone");
    }
  }

  get hasMicrophone(): boolean {
    return this.#microphone !== null && this.stream.getAudioTracks().length > 0;
  }

  /** What the camera gives; a phone's that is held upright is higher than wide. */
  get size(): { width: number; height: number } {
    const { width = 1280, height = 720 } = this.#track.getSettings();
    return { width, height };
  }

  /** The ids to remember. */
  get devices(): { camera: string | undefined; microphone: string | undefined } {
    const [sound] = this.stream.getAudioTracks();
    return { camera: this.#track.getSettings().deviceId, microphone: sound?.getSettings().deviceId };
  }

  /** Frames for a take, to be transferred to its worker. Opened when first asked for. */
  get video(): PictureFeed {
    this.#camera ??= openCameraFeed(this.stream, this.#track);
    return this.#camera.feed;
  }

  /** Sound for a take, to be transferred to its worker; null where no audio graph runs. */
  get audio(): MessagePort | null {
    this.#microphone?.wake();
    this.#audio ??= this.#microphone?.openFeed() ?? null;
    return this.#audio;
  }

  /** Everything of a take that is to be transferred. */
  get transfer(): Transferable[] {
    return this.audio ? [this.video, this.audio] : [this.video];
  }

  /** Forgets the feeds that a take has used up; the next access opens new ones. */
  renew(): void {
    this.#camera?.close();
    this.#camera = null;
    this.#audio = null;
  }

  close(): void {
    this.onEnded = null;
    this.onLevel = null;
    this.renew();
    this.#microphone?.close();
    for (const track of this.stream.getTracks()) track.stop();
  }

  get #track(): MediaStreamTrack {
    const [track] = this.stream.getVideoTracks();
    if (!track) throw new TypeError("a capture without a camera");
    return track;
  }
}

async function openStream(wish: CaptureWish): Promise<MediaStream> {
  // The property is absent on insecure pages, whatever its type says.
  const media = navigator.mediaDevices as MediaDevices | undefined;
  if (!media?.getUserMedia) throw new CaptureRefused("insecure");
  try {
    return await media.getUserMedia({ video: cameraWish(wish), audio: microphoneWish(wish) });
  } catch (error) {
    if (refusalOf(error) === "denied") throw new CaptureRefused("denied", { cause: error });
  }
  // One of the two is missing or busy. Without sound a take is possible, without a picture not.
  try {
    return await media.getUserMedia({ video: cameraWish(wish) });
  } catch (error) {
    throw new CaptureRefused(refusalOf(error), { cause: error });
  }
}

function cameraWish({ camera, width, height }: CaptureWish): MediaTrackConstraints {
  const size = { width: { ideal: width }, height: { ideal: height } };
  const device = camera ? { deviceId: { ideal: camera } } : { facingMode: { ideal: "user" } };
  return { ...size, ...device, frameRate: { ideal: FRAME_RATE, max: FRAME_RATE } };
}

function microphoneWish({ microphone }: CaptureWish): MediaTrackConstraints {
  const device = microphone ? { deviceId: { ideal: microphone } } : {};
  return {
    ...device,
    channelCount: { ideal: 1 },
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
  };
}

function refusalOf(error: unknown): CaptureRefusal {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError") return "denied";
  if (name === "SecurityError") return "insecure";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "none";
  return "busy";
}
