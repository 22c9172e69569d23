import { CameraFeed } from "./camera.ts";
import { type Device, deviceOfTrack, otherSide } from "./devices.ts";
import type { PictureFeed } from "./feeds.ts";
import { isOneAtATime } from "./handheld.ts";
import type { CaptureNews, SwitchReason } from "./news.ts";
import { openCamera } from "./opening.ts";
import { CaptureRefused, refused } from "./refusal.ts";
import { Turns } from "./turns.ts";
import { watchTrack } from "./track-watch.ts";
import type { CaptureWish } from "./wish.ts";

/** So long the camera before is kept when the new one gives nothing. */
const FIRST_FRAME_MS = 1500;
/** A camera that another program let go gives no sign of it. */
const RETRY_MS = 3000;

export interface CamerasOptions {
  wish: CaptureWish;
  /** Another track is shown, or none. */
  onTrack: (track: MediaStreamTrack | null) => void;
  onNews: (news: CaptureNews) => void;
  /** While the system holds the devices back, their silence is no loss. */
  isInterrupted: () => boolean;
}

/** The camera in use: chosen, switched and, when it is lost, replaced, while one feed goes on. See [Note: Losing a camera]. */
export class Cameras {
  readonly #options: CamerasOptions;
  readonly #turns = new Turns();
  list: readonly Device[] = [];
  track: MediaStreamTrack | null;
  device: Device | null = null;
  #unwatch: () => void = () => undefined;
  #feed: CameraFeed | null = null;
  #last: Device | null = null;
  #retry: ReturnType<typeof setInterval> | undefined;
  #isClosed = false;

  constructor(track: MediaStreamTrack, options: CamerasOptions) {
    this.#options = options;
    this.track = track;
    this.#watch(track);
  }

  /** Takes note of what is plugged in now. */
  know(list: readonly Device[]): void {
    this.list = list;
    if (this.track) this.device = this.#last = deviceOfTrack(this.track, list);
    else if (list.length > 0) void this.#comeBack();
  }

  get feed(): PictureFeed {
    if (this.#feed === null) {
      this.#feed = new CameraFeed();
      this.#feed.onReport = (is) => {
        if (is === "ended") this.#lose("unplugged");
        else if (is === "frozen" && !this.#options.isInterrupted()) this.#lose("frozen");
      };
      if (this.track) this.#feed.show(this.track);
    }
    return this.#feed.feed;
  }

  /** Forgets the feed that a take has used up. */
  renew(): void {
    this.#feed?.close();
    this.#feed = null;
  }

  /** Changes to a camera; when it cannot be had the one before stays. Throws CaptureRefused. */
  use(id: string): Promise<void> {
    return this.#change(() => this.list.find((device) => device.id === id));
  }

  /** Changes to the camera that looks the other way from the one that is in use by then. Throws CaptureRefused. */
  flip(): Promise<void> {
    return this.#change(() => otherSide(this.list, this.device));
  }

  #change(choose: () => Device | null | undefined): Promise<void> {
    return this.#turns.take(async () => {
      const wanted = choose();
      if (!wanted) throw new CaptureRefused("none");
      if (this.track !== null && this.device?.id === wanted.id) return;
      const to = isOneAtATime() ? await this.#exchange(wanted) : await this.#takeOver(wanted);
      this.#options.onNews({ kind: "camera-switched", to, why: "chosen" });
    });
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#retry);
    this.renew();
    this.#drop();
  }

  /** The new one is open before the old one is let go. */
  async #takeOver(wanted: Device): Promise<Device> {
    const old = this.track;
    const track = await openCamera({ ...this.#options.wish, camera: wanted.id });
    if (this.#isClosed) return this.#tooLate(track);
    this.#unwatch();
    const device = this.#show(track);
    await this.#feed?.isSeen(FIRST_FRAME_MS);
    old?.stop();
    return device;
  }

  /** A phone has its cameras one at a time: the last picture is held meanwhile. */
  async #exchange(wanted: Device): Promise<Device> {
    const old = this.device;
    this.#drop();
    try {
      return this.#show(await openCamera({ ...this.#options.wish, camera: wanted.id }));
    } catch (error) {
      if (old === null || !(await this.#try(old))) this.#giveUp();
      throw refused(error);
    }
  }

  #show(track: MediaStreamTrack): Device {
    clearInterval(this.#retry);
    this.track = track;
    this.device = this.#last = deviceOfTrack(track, this.list);
    this.#watch(track);
    this.#feed?.show(track);
    this.#options.onTrack(track);
    return this.device;
  }

  #watch(track: MediaStreamTrack): void {
    this.#unwatch = watchTrack(track, {
      onLost: (why) => this.#lose(why),
      isInterrupted: this.#options.isInterrupted,
    });
  }

  #drop(): void {
    this.#unwatch();
    this.track?.stop();
    this.#feed?.release();
    this.track = null;
    this.device = null;
  }

  /**
   * [Note: Losing a camera] Whatever the sign of it, the next camera is tried, then each other one, then the lost one again.
   * When there is none left a take goes on with its last picture; a device that is plugged in, and each few
   * seconds, is a new chance.
   */
  #lose(why: SwitchReason): void {
    const lost = this.track;
    if (lost === null || this.#isClosed) return;
    void this.#turns.take(async () => {
      if (this.track !== lost) return;
      const device = this.device;
      this.#drop();
      const to = await this.#firstOf(this.#others(device));
      if (to) this.#options.onNews({ kind: "camera-switched", to, why });
      else this.#giveUp();
    });
  }

  #others(lost: Device | null): Device[] {
    const others = this.list.filter(({ id }) => id !== lost?.id);
    return lost ? [...others, lost] : others;
  }

  async #firstOf(devices: readonly Device[]): Promise<Device | null> {
    for (const device of devices) {
      if (this.#isClosed) return null;
      const shown = await this.#try(device);
      if (shown && (await this.#isAlive())) return shown;
    }
    return null;
  }

  /** A camera that opens and gives nothing is none. */
  async #isAlive(): Promise<boolean> {
    if (await (this.#feed?.isSeen(FIRST_FRAME_MS) ?? true)) return true;
    this.#drop();
    return false;
  }

  async #try(device: Device): Promise<Device | null> {
    try {
      const track = await openCamera({ ...this.#options.wish, camera: device.id });
      return this.#isClosed ? this.#tooLate(track) : this.#show(track);
    } catch {
      return null;
    }
  }

  #tooLate(track: MediaStreamTrack): never {
    track.stop();
    throw new CaptureRefused("none");
  }

  #giveUp(): void {
    this.#options.onTrack(null);
    this.#options.onNews({ kind: "camera-lost" });
    clearInterval(this.#retry);
    this.#retry = setInterval(() => void this.#comeBack(), RETRY_MS);
  }

  async #comeBack(): Promise<void> {
    await this.#turns.take(async () => {
      if (this.track !== null || this.#isClosed) return;
      const first = this.list.filter(({ id }) => id === this.#last?.id);
      const to = await this.#firstOf([...first, ...this.#others(this.#last).filter(({ id }) => id !== this.#last?.id)]);
      if (to) this.#options.onNews({ kind: "camera-back", to });
    });
  }
}
