import { type PictureFeed, type Pictured, type Reported, trackProcessor } from "./feeds.ts";

/** How the frames of a track get to a port; called again when they are wanted no more. */
type Source = () => void;

/** The page's end of a take's pictures: shows one camera after another to whoever reads the other end. */
export class CameraFeed {
  /** To be transferred. */
  readonly feed: PictureFeed;
  readonly #port: MessagePort;
  #camera = 0;
  #track: MediaStreamTrack | null = null;
  #source: Source | null = null;
  #isWanted = false;
  #waiters: (() => void)[] = [];
  /** What the reader says of the camera that is shown now. */
  onReport: ((is: Reported["is"]) => void) | null = null;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.feed = port2;
    port1.onmessage = (event: MessageEvent<"start" | "stop" | Reported>) => this.#hear(event.data);
  }

  /** Shows another camera from now on; the last picture of the one before is held until the first of this one. */
  show(track: MediaStreamTrack): void {
    this.#track = track;
    this.#camera += 1;
    this.#source?.();
    this.#source = this.#isWanted ? this.#open(track) : null;
  }

  /** Whether the reader gets a frame of the camera that was just shown within the limit; yes at once when nobody reads. */
  async isSeen(limitMs: number): Promise<boolean> {
    if (!this.#isWanted) return true;
    return new Promise((resolve) => {
      this.#waiters.push(() => resolve(true));
      setTimeout(() => resolve(false), limitMs);
    });
  }

  close(): void {
    this.onReport = null;
    this.#end();
    this.#port.close();
  }

  #hear(said: "start" | "stop" | Reported): void {
    if (said === "stop") return this.#end();
    if (said === "start") {
      this.#isWanted = true;
      if (this.#track) this.#source = this.#open(this.#track);
    } else if (said.camera === this.#camera) this.#heed(said.is);
  }

  #heed(is: Reported["is"]): void {
    if (is === "unreadable" && this.#track) this.#source = playedSource(this.#track, (frame) => this.#post(frame));
    if (is === "seen") this.#settle();
    this.onReport?.(is);
  }

  #settle(): void {
    for (const waiter of this.#waiters.splice(0)) waiter();
  }

  #end(): void {
    this.#isWanted = false;
    this.#settle();
    this.#source?.();
    this.#source = null;
  }

  #open(track: MediaStreamTrack): Source | null {
    const camera = this.#camera;
    const Processor = trackProcessor();
    // Read and ended by whoever it is transferred to.
    if (Processor) return this.#give({ camera, stream: new Processor({ track }).readable });
    try {
      return this.#give({ camera, track: track.clone() });
    } catch {
      return playedSource(track, (frame) => this.#post(frame));
    }
  }

  #give(pictured: Exclude<Pictured, { frame: VideoFrame }>): null {
    const given = "stream" in pictured ? pictured.stream : pictured.track;
    this.#port.postMessage(pictured, [given as Transferable]);
    return null;
  }

  #post(frame: VideoFrame): void {
    this.#port.postMessage({ camera: this.#camera, frame } satisfies Pictured, [frame]);
  }
}

/** A hidden page is painted no more, and its timers run once a second at best: enough not to be taken for a lost camera. */
const HIDDEN_MS = 500;

/** Where a track's frames cannot be had, those of a video element that plays it can. */
function playedSource(track: MediaStreamTrack, give: (frame: VideoFrame) => void): Source {
  const element = document.createElement("video");
  element.muted = true;
  element.playsInline = true;
  element.srcObject = new MediaStream([track]);
  let isOpen = true;
  const take = (atMs: number): void => give(new VideoFrame(element, { timestamp: Math.round(atMs * 1000) }));
  const post = (now: number, { captureTime }: VideoFrameCallbackMetadata): void => {
    if (!isOpen) return;
    element.requestVideoFrameCallback(post);
    take(captureTime ?? now);
  };
  const whileHidden = setInterval(() => {
    if (document.hidden && element.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) take(performance.now());
  }, HIDDEN_MS);
  element.requestVideoFrameCallback(post);
  element.play().catch(() => undefined);
  return () => {
    isOpen = false;
    clearInterval(whileHidden);
    element.srcObject = null;
  };
}
