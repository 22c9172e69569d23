interface ManagedSource extends MediaSource {
  readonly streaming: boolean;
}
type SourceType = typeof MediaSource;

/** The browser's way to play what comes in pieces: the managed one where there is one (iPhones have no other). */
export function mediaSourceType(): SourceType | null {
  const known = globalThis as { ManagedMediaSource?: SourceType; MediaSource?: SourceType };
  return known.ManagedMediaSource ?? known.MediaSource ?? null;
}

const KEPT_BEHIND_S = 10;
const EDGE_S = 0.1;

/** One element's media source with one buffer: appends one after the other, and makes room by dropping what was played. */
export class PlayBuffer {
  readonly #element: HTMLVideoElement;
  readonly #source: MediaSource;
  readonly #url: string;
  #buffer: SourceBuffer | null = null;
  #isClosed = false;
  /** One after the other, also those of a run of fetching that was given up in the middle of one. */
  #turn: Promise<void> = Promise.resolve();

  private constructor(element: HTMLVideoElement, source: MediaSource) {
    this.#element = element;
    this.#source = source;
    if ("streaming" in source) element.disableRemotePlayback = true; // else a managed source never opens
    this.#url = URL.createObjectURL(source);
    element.src = this.#url;
  }

  static async open(element: HTMLVideoElement, Type: SourceType): Promise<PlayBuffer> {
    const buffer = new PlayBuffer(element, new Type());
    await event(buffer.#source, "sourceopen");
    return buffer;
  }

  async begin(type: string, head: Uint8Array, durationS: number): Promise<void> {
    this.#buffer = this.#source.addSourceBuffer(type);
    await this.append(head);
    if (!this.#isClosed) this.#source.duration = durationS;
  }

  /** Appends whole boxes; waits for room when the browser wants no more. */
  append(bytes: Uint8Array): Promise<void> {
    const appended = this.#turn.then(() => this.#append(bytes));
    this.#turn = appended.catch(() => undefined);
    return appended;
  }

  async #append(bytes: Uint8Array): Promise<void> {
    await this.#wanted();
    for (;;) {
      const buffer = this.#buffer;
      if (!buffer || this.#isClosed) return;
      try {
        buffer.appendBuffer(bytes as BufferSource);
        return await this.#updated(buffer);
      } catch (error) {
        if (!(error instanceof DOMException) || error.name !== "QuotaExceededError") throw error;
        await this.#makeRoom(buffer);
      }
    }
  }

  has(timeS: number): boolean {
    return this.#ranges().some(([start, end]) => timeS >= start - EDGE_S && timeS < end);
  }

  /** Where what can be played without a gap from a time on ends. */
  endFrom(timeS: number): number {
    return this.#ranges().find(([start, end]) => timeS >= start - EDGE_S && timeS <= end)?.[1] ?? timeS;
  }

  get startS(): number {
    return this.#ranges()[0]?.[0] ?? 0;
  }

  /** Nothing more will come; the duration becomes what is there. */
  end(): void {
    this.#turn = this.#turn.then(() => {
      if (this.#source.readyState === "open" && !this.#buffer?.updating) this.#source.endOfStream();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#element.removeAttribute("src");
    this.#element.load();
    URL.revokeObjectURL(this.#url);
  }

  #ranges(): [number, number][] {
    // After an error of decoding the browser has taken the buffer away.
    const isThere = !this.#isClosed && this.#source.sourceBuffers.length > 0;
    const buffered = isThere ? this.#buffer?.buffered : null;
    return Array.from({ length: buffered?.length ?? 0 }, (_, index) => [buffered!.start(index), buffered!.end(index)]);
  }

  async #wanted(): Promise<void> {
    const source = this.#source as Partial<ManagedSource> & MediaSource;
    if (source.streaming === false && this.#buffer && this.#ranges().length > 0) await event(source, "startstreaming");
  }

  async #updated(buffer: SourceBuffer): Promise<void> {
    if (!buffer.updating) return;
    const failed = event(buffer, "error").then(() => Promise.reject(new TypeError("the browser took no more")));
    await Promise.race([event(buffer, "updateend"), failed]);
  }

  async #makeRoom(buffer: SourceBuffer): Promise<void> {
    const until = this.#element.currentTime - KEPT_BEHIND_S;
    if (until > this.startS) {
      buffer.remove(0, until);
      await this.#updated(buffer);
    } else await event(this.#element, "timeupdate");
  }
}

export function event(target: EventTarget, name: string): Promise<Event> {
  return new Promise((resolve) => target.addEventListener(name, resolve, { once: true }));
}
