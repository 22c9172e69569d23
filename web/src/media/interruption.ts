import type { CaptureNews } from "./news.ts";

const LOOK_MS = 250;
/** Shorter than this it is a hiccup. */
const AT_LEAST_MS = 500;

export interface Interruptible {
  camera(): MediaStreamTrack | null;
  microphone(): MediaStreamTrack | null;
  /** Whether the system has stopped the audio graph, as for a phone call. */
  isSoundHeldBack(): boolean;
}

/** Notices that the system, not a device, holds camera and microphone back. */
export class Interruption {
  readonly #devices: Interruptible;
  readonly #onNews: (news: CaptureNews) => void;
  readonly #timer: ReturnType<typeof setInterval>;
  #since: number | null = null;
  #isTold = false;

  constructor(devices: Interruptible, onNews: (news: CaptureNews) => void) {
    this.#devices = devices;
    this.#onNews = onNews;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** At this moment. */
  get isOn(): boolean {
    const camera = this.#devices.camera();
    const microphone = this.#devices.microphone();
    if (this.#devices.isSoundHeldBack()) return true;
    if (document.hidden) return camera?.muted === true || microphone?.muted === true;
    return camera?.muted === true && microphone?.muted === true;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    if (!this.isOn) return this.#end();
    this.#since ??= performance.now();
    if (this.#isTold || performance.now() - this.#since < AT_LEAST_MS) return;
    this.#isTold = true;
    this.#onNews({ kind: "interrupted", why: document.hidden ? "hidden" : "call" });
  }

  #end(): void {
    this.#since = null;
    if (!this.#isTold) return;
    this.#isTold = false;
    this.#onNews({ kind: "interruption-over" });
  }
}
