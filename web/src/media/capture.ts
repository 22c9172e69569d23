import { Cameras } from "./cameras.ts";
import { type Device, listDevices } from "./devices.ts";
import type { PictureFeed } from "./feeds.ts";
import { Interruption } from "./interruption.ts";
import { Microphone } from "./microphone.ts";
import { Microphones } from "./microphones.ts";
import type { CaptureNews } from "./news.ts";
import { openAny } from "./opening.ts";
import type { Level } from "./sound.ts";
import type { CaptureWish } from "./wish.ts";

export type { Device, Facing } from "./devices.ts";
export type { CaptureNews, SwitchReason } from "./news.ts";
export { CaptureRefused, type CaptureRefusal } from "./refusal.ts";
export type { Level } from "./sound.ts";
export type { CaptureWish } from "./wish.ts";

/** Opens camera and microphone. A missing microphone is no refusal: `hasMicrophone` says so. Throws CaptureRefused. */
export async function openCapture(wish: CaptureWish): Promise<Capture> {
  const { stream, isBusy } = await openAny(wish);
  try {
    const graph = await Microphone.open(stream.getAudioTracks()[0] ?? null);
    const capture = new Capture(stream, graph, wish);
    await capture.lookAround();
    await capture.preferMicrophone(wish.microphone);
    if (isBusy && capture.camera) capture.tell({ kind: "camera-switched", to: capture.camera, why: "busy" });
    return capture;
  } catch (error) {
    for (const track of stream.getTracks()) track.stop();
    throw error;
  }
}

/**
 * An open camera and microphone, which change when a person chooses others and when those in use are lost; a take goes on
 * meanwhile. One take uses up `video` and `audio`; call `renew` before the next.
 */
export class Capture {
  readonly #graph: Microphone | null;
  readonly #cameras: Cameras;
  readonly #microphones: Microphones;
  readonly #interruption: Interruption;
  readonly #listeners = new Set<(news: CaptureNews) => void>();
  readonly #untold: CaptureNews[] = [];
  #stream: MediaStream;
  #size: { width: number; height: number };
  #audio: MessagePort | null = null;
  #onNews: ((news: CaptureNews) => void) | null = null;
  onLevel: ((level: Level) => void) | null = null;

  constructor(stream: MediaStream, graph: Microphone | null, wish: CaptureWish) {
    const [picture] = stream.getVideoTracks();
    if (!picture) throw new TypeError("a capture without a camera");
    this.#stream = stream;
    this.#size = sizeOf(picture, { width: 1280, height: 720 });
    this.#graph = graph;
    if (graph) graph.onLevel = (level) => this.onLevel?.(level);
    const shared = {
      onNews: (news: CaptureNews) => this.tell(news),
      onTrack: () => this.#restream(),
      isInterrupted: () => this.#interruption.isOn,
    };
    this.#cameras = new Cameras(picture, { ...shared, wish });
    this.#microphones = new Microphones(stream.getAudioTracks()[0] ?? null, { ...shared, graph });
    const devices = {
      camera: () => this.#cameras.track,
      microphone: () => this.#microphones.track,
      isSoundHeldBack: () => graph?.isHeldBack ?? false,
    };
    this.#interruption = new Interruption(devices, shared.onNews);
    navigator.mediaDevices.addEventListener("devicechange", this.#change);
  }

  /** For the preview; muted there, or it would echo. Another one after each change of a device, so look again at each news. */
  get stream(): MediaStream {
    return this.#stream;
  }

  get cameras(): readonly Device[] {
    return this.#cameras.list;
  }

  get microphones(): readonly Device[] {
    return this.#microphones.list;
  }

  /** The one in use; null while there is none. */
  get camera(): Device | null {
    return this.#cameras.device;
  }

  get microphone(): Device | null {
    return this.#microphones.device;
  }

  /** What happens to the devices. What happened before somebody listened is told first. */
  set onNews(listener: ((news: CaptureNews) => void) | null) {
    this.#onNews = listener;
    if (listener) for (const news of this.#untold.splice(0)) listener(news);
  }

  get hasMicrophone(): boolean {
    return this.#graph !== null && this.#microphones.track !== null;
  }

  /** What the camera gives; a phone's that is held upright is higher than wide. */
  get size(): { width: number; height: number } {
    if (this.#cameras.track) this.#size = sizeOf(this.#cameras.track, this.#size);
    return this.#size;
  }

  /** The ids to remember. */
  get devices(): { camera: string | undefined; microphone: string | undefined } {
    return { camera: this.camera?.id, microphone: this.microphone?.id };
  }

  /** Frames for a take, to be transferred to its worker. Opened when first asked for. */
  get video(): PictureFeed {
    return this.#cameras.feed;
  }

  /** Sound for a take, to be transferred to its worker; null where no audio graph runs. */
  get audio(): MessagePort | null {
    this.#graph?.wake();
    this.#audio ??= this.#graph?.openFeed() ?? null;
    return this.#audio;
  }

  /** Everything of a take that is to be transferred. */
  get transfer(): Transferable[] {
    return this.audio ? [this.video, this.audio] : [this.video];
  }

  /** Changes to a camera, also in the middle of a take. When it cannot be had, the one before goes on. Throws CaptureRefused. */
  useCamera(id: string): Promise<void> {
    return this.#cameras.use(id);
  }

  /** Changes to a microphone, also in the middle of a take. When it cannot be had, the one before goes on. Throws CaptureRefused. */
  useMicrophone(id: string): Promise<void> {
    return this.#microphones.use(id);
  }

  /** Changes to the camera that looks the other way, or to the next. Throws CaptureRefused. */
  flip(): Promise<void> {
    return this.#cameras.flip();
  }

  /** Adds another sound to the microphone's, until it is ended by what this gives. */
  mix(track: MediaStreamTrack): () => void {
    return this.#graph?.mix(track) ?? (() => undefined);
  }

  /** Listens beside `onNews`, from now on; what it gives ends that. */
  listen(listener: (news: CaptureNews) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Forgets the feeds that a take has used up; the next access opens new ones. */
  renew(): void {
    this.#cameras.renew();
    this.#audio = null;
  }

  close(): void {
    navigator.mediaDevices.removeEventListener("devicechange", this.#change);
    this.onLevel = this.#onNews = null;
    this.#listeners.clear();
    this.#interruption.close();
    this.#cameras.close();
    this.#microphones.close();
    this.#graph?.close();
  }

  /** Looks at what is plugged in. */
  async lookAround(): Promise<void> {
    const { cameras, microphones } = await listDevices();
    this.#cameras.know(cameras);
    this.#microphones.know(microphones);
  }

  /** The remembered microphone, where the browser chose another. */
  async preferMicrophone(id: string | undefined): Promise<void> {
    const isThere = id !== undefined && this.microphones.some((device) => device.id === id);
    if (isThere && this.hasMicrophone && this.microphone?.id !== id) {
      await this.#microphones.use(id).catch(() => undefined); // the other one does, too
    }
  }

  tell(news: CaptureNews): void {
    if (this.#onNews) this.#onNews(news);
    else this.#untold.push(news);
    for (const listener of this.#listeners) listener(news);
  }

  readonly #change = (): void => {
    void this.lookAround().then(() => this.tell({ kind: "devices-changed" }));
  };

  #restream(): void {
    const tracks = [this.#cameras.track, this.#microphones.track].filter((track) => track !== null);
    this.#stream = new MediaStream(tracks);
  }
}

function sizeOf(track: MediaStreamTrack, known: { width: number; height: number }): { width: number; height: number } {
  const { width = known.width, height = known.height } = track.getSettings();
  return { width, height };
}
