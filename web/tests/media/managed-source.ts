/**
 * Stands in for the one media source of iPhones: opens only for an element that cannot be sent to a television, wants data by its
 * events only, and throws out what it has as it likes.
 */
export class ManagedStandIn extends MediaSource {
  static made: ManagedStandIn[] = [];
  /** Of this much ahead it has enough; below the other it wants more. */
  static enoughS = 3;
  static littleS = 1;
  streaming = false;
  readonly faults: string[] = [];
  readonly turns: string[] = [];
  #element: HTMLVideoElement | null = null;
  #buffer: SourceBuffer | null = null;

  constructor() {
    super();
    ManagedStandIn.made.push(this);
  }

  /** What WebKit knows of by itself. */
  watch(element: HTMLVideoElement): void {
    this.#element = element;
    for (const name of ["timeupdate", "seeking", "waiting", "playing"])
      element.addEventListener(name, () => this.#weigh());
  }

  override addSourceBuffer(type: string): SourceBuffer {
    const buffer = super.addSourceBuffer(type);
    if (this.#element?.disableRemotePlayback !== true) this.faults.push("opened for an element that may go elsewhere");
    const append = buffer.appendBuffer.bind(buffer);
    let count = 0;
    buffer.appendBuffer = (data) => {
      // The head may come at any time; pictures only when they are asked for.
      if (count++ > 1 && !this.streaming) this.faults.push(`piece ${count} came unasked`);
      append(data);
    };
    buffer.addEventListener("updateend", () => this.#weigh());
    this.#buffer = buffer;
    this.#weigh();
    return buffer;
  }

  /** Throws out everything. */
  async evict(): Promise<void> {
    const buffer = this.#buffer;
    if (!buffer) return;
    await idle(buffer);
    buffer.remove(0, Infinity);
    await idle(buffer);
    this.#weigh();
  }

  get #aheadS(): number {
    const ranges = this.sourceBuffers.length > 0 ? this.#buffer?.buffered : null;
    const element = this.#element;
    if (!element || !ranges) return 0;
    for (let at = 0; at < ranges.length; at++)
      if (ranges.start(at) <= element.currentTime + 0.2 && ranges.end(at) >= element.currentTime)
        return ranges.end(at) - element.currentTime;
    return 0;
  }

  #weigh(): void {
    const wanted = this.streaming ? this.#aheadS < ManagedStandIn.enoughS : this.#aheadS < ManagedStandIn.littleS;
    if (wanted === this.streaming) return;
    this.streaming = wanted;
    this.turns.push(wanted ? "start" : "end");
    this.dispatchEvent(new Event(wanted ? "startstreaming" : "endstreaming"));
  }
}

async function idle(buffer: SourceBuffer): Promise<void> {
  while (buffer.updating) await new Promise((resolve) => buffer.addEventListener("updateend", resolve, { once: true }));
}
