import { CameraFeed } from "./camera.ts";
import type { Capture, CaptureNews } from "./capture.ts";
import { Composer } from "./compose.ts";
import type { PictureFeed } from "./feeds.ts";
import type { Size } from "./size.ts";

/** - `denied`: the person chose nothing. - `unsupported`: this browser shares no screen. - `failed`: the system did not let it. */
export type ScreenRefusal = "denied" | "unsupported" | "failed";

export class ScreenRefused extends Error {
  override readonly name = "ScreenRefused";

  constructor(
    readonly code: ScreenRefusal,
    options?: ErrorOptions,
  ) {
    super(code, options);
  }
}

/** The screen has ended, by the person or the browser's own button: the camera fills the picture, and a take goes on. */
export type ScreenNews = { kind: "screen-ended" };

export interface ScreenWish extends Size {
  /** For tests: asks for the screen. */
  ask?: (options: DisplayMediaStreamOptions) => Promise<MediaStream>;
}

const SIZE: Size = { width: 1280, height: 720 };
const FRAME_RATE = 30;

/** Whether this browser can share a screen; phones cannot. */
export function canShareScreen(): boolean {
  return "getDisplayMedia" in ((navigator.mediaDevices as MediaDevices | undefined) ?? {});
}

/**
 * Asks for a screen, a window or a tab, and shows it with the camera of an open capture, which stays the caller's. To be called in
 * answer to a press. What it gives is fed to a take in the capture's place. @throws ScreenRefused
 */
export async function openScreen(capture: Capture, wish: ScreenWish = SIZE): Promise<SharedScreen> {
  const ask = wish.ask ?? askForScreen();
  if (ask === null) throw new ScreenRefused("unsupported");
  try {
    return new SharedScreen(capture, await ask(OPTIONS), wish);
  } catch (error) {
    const isDenied = error instanceof DOMException && error.name === "NotAllowedError";
    throw new ScreenRefused(isDenied ? "denied" : "failed", { cause: error });
  }
}

/** More than TypeScript knows: each browser takes what it understands. */
const OPTIONS = {
  video: { frameRate: { ideal: FRAME_RATE, max: FRAME_RATE }, width: { max: 1920 }, height: { max: 1080 } },
  audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
  systemAudio: "include",
  selfBrowserSurface: "exclude",
  surfaceSwitching: "include",
} as DisplayMediaStreamOptions;

function askForScreen(): Exclude<ScreenWish["ask"], undefined> | null {
  return canShareScreen() ? (options) => navigator.mediaDevices.getDisplayMedia(options) : null;
}

/** A shared screen with the camera's bubble. One take uses up `video` and `audio`; call `renew` before the next. */
export class SharedScreen {
  /** For the preview, which is not mirrored: one must be able to read it. */
  readonly stream: MediaStream;
  readonly #capture: Capture;
  readonly #screen: MediaStream;
  readonly #composer: Composer;
  readonly #unlisten: () => void;
  readonly #stopMixing: () => void;
  #camera: MediaStreamTrack | null = null;
  #feed: CameraFeed | null = null;
  #isOn = true;
  onNews: ((news: ScreenNews) => void) | null = null;

  constructor(capture: Capture, screen: MediaStream, size: Size) {
    const [picture] = screen.getVideoTracks();
    const [sound] = screen.getAudioTracks();
    if (!picture) throw new TypeError("a screen without a picture");
    this.#capture = capture;
    this.#screen = screen;
    this.#composer = new Composer(size);
    this.stream = new MediaStream([this.#composer.track]);
    this.#composer.showScreen(picture);
    this.#followCamera();
    this.#unlisten = capture.listen(() => this.#followCamera());
    this.#stopMixing = sound ? capture.mix(sound) : () => undefined;
    picture.onended = () => this.end();
  }

  /** Whether the screen is shown; false once it has ended. */
  get isOn(): boolean {
    return this.#isOn;
  }

  /** Whether the browser gave the sound of what is shared. */
  get hasSound(): boolean {
    return this.#screen.getAudioTracks().length > 0;
  }

  /** Pictures for a take, to be transferred to its worker. */
  get video(): PictureFeed {
    if (this.#feed === null) {
      this.#feed = new CameraFeed();
      this.#feed.show(this.#composer.track);
    }
    return this.#feed.feed;
  }

  /** The microphone and the sound of what is shared, for a take. */
  get audio(): MessagePort | null {
    return this.#capture.audio;
  }

  /** What happens to the devices, for a take's record. */
  listen(listener: (news: CaptureNews) => void): () => void {
    return this.#capture.listen(listener);
  }

  renew(): void {
    this.#feed?.close();
    this.#feed = null;
    this.#capture.renew();
  }

  /** Ends the screen; the camera goes on in its place. */
  end(): void {
    if (!this.#isOn) return;
    this.#isOn = false;
    this.#stop();
    this.#composer.showScreen(null);
    this.onNews?.({ kind: "screen-ended" });
  }

  close(): void {
    this.#isOn = false;
    this.onNews = null;
    this.#stop();
    this.#unlisten();
    this.#feed?.close();
    this.#composer.close();
  }

  #stop(): void {
    this.#stopMixing();
    for (const track of this.#screen.getTracks()) {
      track.onended = null;
      track.stop();
    }
  }

  #followCamera(): void {
    const [camera = null] = this.#capture.stream.getVideoTracks();
    if (camera === this.#camera) return;
    this.#camera = camera;
    this.#composer.showCamera(camera);
  }
}
