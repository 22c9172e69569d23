/** The devices of the booth: what there is, what is in use, and what happened to them, for as long as it is worth saying. */

import { CaptureRefused, type Capture, type CaptureNews, type Device, type SwitchReason } from "../media/capture";
import { canShareScreen, openScreen, ScreenRefused, type SharedScreen } from "../media/screen";
import type { TakeFeed } from "../take/take";
import { rememberDevices } from "./devices";
import type { Failure } from "./failure";

export type { Device } from "../media/capture";

/** What happened to a device: `name` is that of the one in use now, `before` of the one in use until then. */
export interface DeviceNews {
  what:
    | "camera-switched"
    | "camera-lost"
    | "camera-back"
    | "camera-refused"
    | "microphone-switched"
    | "microphone-lost"
    | "microphone-back"
    | "microphone-refused"
    | "screen-ended";
  name: string;
  before: string;
  why: SwitchReason | null;
}

/** What a change of the devices means for a take. */
export interface DeviceEvents {
  /** The system took the devices away for a while. */
  interrupted(why: "call" | "hidden"): void;
  /** Whether a take uses the feed. */
  isRunning(): boolean;
  /** No picture, or a picture again. */
  seeing(isSeeing: boolean): void;
}

const NEWS_MS = 8000;

export class BoothDevices {
  stream: MediaStream | null = $state.raw(null);
  cameras: readonly Device[] = $state.raw([]);
  microphones: readonly Device[] = $state.raw([]);
  camera: Device | null = $state.raw(null);
  microphone: Device | null = $state.raw(null);
  news: DeviceNews | null = $state.raw(null);
  /** Screen and camera in one picture: shown, not shown, or nothing that this browser can. */
  screen: "on" | "off" | null = $state(canShareScreen() ? "off" : null);
  screenFailure: Failure | null = $state.raw(null);
  #capture: Capture | null = null;
  /** Also one that has ended, as long as a take uses it. */
  #screen: SharedScreen | null = null;
  readonly #events: DeviceEvents;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(events: DeviceEvents) {
    this.#events = events;
  }

  get capture(): Capture | null {
    return this.#capture;
  }

  /** For the next take; null without a camera. */
  get feed(): (TakeFeed & { renew(): void }) | null {
    if (this.screen !== "on") this.#dropScreen();
    return this.#screen ?? this.#capture;
  }

  take(capture: Capture): void {
    this.#capture = capture;
    this.#look();
    capture.onNews = (news) => this.#hear(news);
  }

  /** Changes at once, also in the middle of a take; it is used again next time. Never rejects: `news` tells. */
  async useCamera(id: string): Promise<void> {
    rememberDevices({ camera: id });
    await this.#changed("camera", id, async (capture) => capture.useCamera(id));
  }

  async useMicrophone(id: string): Promise<void> {
    rememberDevices({ microphone: id });
    await this.#changed("microphone", id, async (capture) => capture.useMicrophone(id));
  }

  /** The camera on the other side, or the next one. */
  async turn(): Promise<void> {
    await this.#changed("camera", null, async (capture) => capture.flip());
    if (this.camera) rememberDevices({ camera: this.camera.id });
  }

  async nextMicrophone(): Promise<void> {
    const at = this.microphones.findIndex(({ id }) => id === this.microphone?.id);
    const next = this.microphones[(at + 1) % this.microphones.length];
    if (next && next.id !== this.microphone?.id) await this.useMicrophone(next.id);
  }

  /** Shows the screen with the camera in its corner, or the camera alone again. Never rejects: `screenFailure` tells. */
  async share(): Promise<void> {
    const capture = this.#capture;
    if (this.screen === "on") return this.#dropScreen();
    if (capture === null) return;
    this.screenFailure = null;
    try {
      const screen = await openScreen(capture);
      if (capture !== this.#capture) return screen.close();
      screen.onNews = () => this.#noteScreenEnded();
      [this.#screen, this.screen] = [screen, "on"];
      this.#look();
    } catch (error) {
      const code = error instanceof ScreenRefused ? error.code : "failed";
      // Who closes the browser's question wants nothing more to be said about it.
      if (code !== "denied") this.screenFailure = { code: `screen-${code}` };
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#dropScreen();
    this.screenFailure = null;
    this.#capture?.close();
    this.#capture = null;
    this.stream = this.camera = this.microphone = this.news = null;
  }

  #look(): void {
    const capture = this.#capture;
    if (capture === null) return;
    this.stream = this.#screen?.stream ?? capture.stream;
    this.cameras = capture.cameras;
    this.microphones = capture.microphones;
    this.camera = capture.camera;
    this.microphone = capture.microphone;
  }

  async #changed(kind: "camera" | "microphone", id: string | null, change: (of: Capture) => Promise<void>) {
    const capture = this.#capture;
    if (capture === null) return;
    try {
      await change(capture);
    } catch (error) {
      if (!(error instanceof CaptureRefused) || capture !== this.#capture) return;
      const list = kind === "camera" ? this.cameras : this.microphones;
      const name = list.find((device) => device.id === id)?.label ?? "";
      this.#say({ what: `${kind}-refused`, name, before: this[kind]?.label ?? "", why: null });
    } finally {
      this.#look();
    }
  }

  #hear(news: CaptureNews): void {
    const before = { camera: this.camera?.label ?? "", microphone: this.microphone?.label ?? "" };
    this.#look();
    if (news.kind === "devices-changed" || news.kind === "interruption-over") return;
    if (news.kind === "interrupted") return this.#events.interrupted(news.why);
    const kind = news.kind.startsWith("camera") ? "camera" : "microphone";
    const name = "to" in news ? news.to.label : "";
    this.#say({ what: news.kind, name, before: before[kind], why: "why" in news ? news.why : null });
    if (kind === "camera") this.#events.seeing(news.kind !== "camera-lost");
  }

  #noteScreenEnded(): void {
    this.screen = "off";
    this.#say({ what: "screen-ended", name: this.camera?.label ?? "", before: "", why: null });
    if (!this.#events.isRunning()) this.#dropScreen();
  }

  #dropScreen(): void {
    const screen = this.#screen;
    if (screen === null) return;
    this.#screen = null;
    this.screen = "off";
    screen.close();
    this.#look();
  }

  /** What stays lost stays said. */
  #say(news: DeviceNews): void {
    clearTimeout(this.#timer);
    this.news = news;
    if (!news.what.endsWith("-lost")) this.#timer = setTimeout(() => (this.news = null), NEWS_MS);
  }
}
