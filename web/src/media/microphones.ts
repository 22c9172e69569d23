import { type Device, deviceOfTrack } from "./devices.ts";
import { isOneAtATime } from "./handheld.ts";
import type { Microphone } from "./microphone.ts";
import type { CaptureNews, SwitchReason } from "./news.ts";
import { openMicrophone } from "./opening.ts";
import { CaptureRefused, refused } from "./refusal.ts";
import { watchTrack } from "./track-watch.ts";
import { Turns } from "./turns.ts";

export interface MicrophonesOptions {
  /** The graph that they are plugged into; null where none runs. */
  graph: Microphone | null;
  onTrack: (track: MediaStreamTrack | null) => void;
  onNews: (news: CaptureNews) => void;
  isInterrupted: () => boolean;
}

/** The microphone in use: chosen, switched and, when it is lost, replaced, while one audio graph goes on. */
export class Microphones {
  readonly #options: MicrophonesOptions;
  readonly #turns = new Turns();
  list: readonly Device[] = [];
  track: MediaStreamTrack | null = null;
  device: Device | null = null;
  #last: Device | null = null;
  #unwatch: () => void = () => undefined;
  #isClosed = false;

  constructor(track: MediaStreamTrack | null, options: MicrophonesOptions) {
    this.#options = options;
    if (track) this.#attach(track);
  }

  know(list: readonly Device[]): void {
    this.list = list;
    if (this.track) this.device = this.#last = deviceOfTrack(this.track, list);
    else if (list.length > 0) void this.#comeBack();
  }

  /** Changes to a microphone; when it cannot be had the one before stays. Throws CaptureRefused. */
  use(id: string): Promise<void> {
    return this.#turns.take(async () => {
      if (!this.list.some((device) => device.id === id)) throw new CaptureRefused("none");
      if (this.track !== null && this.device?.id === id) return;
      const to = await this.#change(id);
      this.#options.onNews({ kind: "microphone-switched", to, why: "chosen" });
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#drop();
  }

  async #change(id: string): Promise<Device> {
    const [old, device] = [this.track, this.device];
    if (isOneAtATime()) this.#drop();
    try {
      const to = this.#plug(await openMicrophone(id));
      old?.stop();
      return to;
    } catch (error) {
      if (this.track === null && !(device && (await this.#try(device)))) this.#giveUp();
      throw refused(error);
    }
  }

  #plug(track: MediaStreamTrack): Device {
    try {
      if (this.#isClosed) throw new CaptureRefused("none");
      this.#options.graph?.plug(track);
    } catch (error) {
      track.stop();
      throw error;
    }
    const device = this.#attach(track);
    this.#options.onTrack(track);
    return device;
  }

  #attach(track: MediaStreamTrack): Device {
    this.#unwatch();
    this.track = track;
    this.device = this.#last = deviceOfTrack(track, this.list);
    const { isInterrupted } = this.#options;
    // A microphone that its own switch has muted is still the one that is meant.
    const onLost = (why: SwitchReason): void => (why === "muted" ? undefined : this.#lose(why));
    this.#unwatch = watchTrack(track, { onLost, isInterrupted });
    return this.device;
  }

  #drop(): void {
    this.#unwatch();
    this.#options.graph?.unplug();
    this.track?.stop();
    this.track = null;
    this.device = null;
  }

  /** Another one, or silence until there is one. */
  #lose(why: SwitchReason): void {
    const lost = this.track;
    void this.#turns.take(async () => {
      if (lost === null || this.track !== lost || this.#isClosed) return;
      const device = this.device;
      this.#drop();
      const to = await this.#firstOf(this.list.filter(({ id }) => id !== device?.id));
      if (to) this.#options.onNews({ kind: "microphone-switched", to, why });
      else this.#giveUp();
    });
  }

  async #firstOf(devices: readonly Device[]): Promise<Device | null> {
    for (const device of devices) {
      const plugged = await this.#try(device);
      if (plugged) return plugged;
    }
    return null;
  }

  async #try(device: Device): Promise<Device | null> {
    try {
      return this.#plug(await openMicrophone(device.id));
    } catch {
      return null;
    }
  }

  #giveUp(): void {
    this.#options.onTrack(null);
    this.#options.onNews({ kind: "microphone-lost" });
  }

  /** Nobody is asked in the middle of a take: only where a microphone was allowed before. */
  async #comeBack(): Promise<void> {
    await this.#turns.take(async () => {
      if (this.track !== null || this.#isClosed || !(await isAllowed(this.#last !== null))) return;
      const first = this.list.filter(({ id }) => id === this.#last?.id);
      const to = await this.#firstOf([...first, ...this.list.filter(({ id }) => id !== this.#last?.id)]);
      if (to) this.#options.onNews({ kind: "microphone-back", to });
    });
  }
}

async function isAllowed(wasOpen: boolean): Promise<boolean> {
  try {
    const { state } = await navigator.permissions.query({ name: "microphone" });
    return state === "granted";
  } catch {
    return wasOpen; // Firefox knows no such permission
  }
}
