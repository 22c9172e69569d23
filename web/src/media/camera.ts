import { type PictureFeed, type Pictured, type Reported, trackProcessor } from "./feeds.ts";

/** Ends what brings a camera's frames to the port. */
type Source = () => void;

/** The page's end of a take's pictures: shows one camera after another to whoever reads the other end. */
export class CameraFeed {
  /** To be transferred. */
  readonly feed: PictureFeed;
  readonly #port: MessagePort;
  #camera = 0;
  #track: MediaStreamTrack | null = null;
  /** Of the camera that is shown, and of those before until it is seen. */
  #sources: Source[] = [];
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

  /** Shows another camera from now on, once its first picture is here; until then the one before, as long as it gives any. */
  show(track: MediaStreamTrack): void {
    this.#track = track;
    this.#camera += 1;
    if (this.#isWanted) this.#open(track);
  }

  /** Lets the camera that is shown go, so that it can be closed; its last picture is held. */
  release(): void {
    this.#track = null;
    this.#endSources();
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
      if (this.#track) this.#open(this.#track);
    } else if (said.camera === this.#camera) this.#heed(said.is);
  }

  #heed(is: Reported["is"]): void {
    if (is === "unreadable" && this.#track) this.#play(this.#track);
    if (is === "seen") {
      this.#settle();
      this.#endSources(1);
    }
    this.onReport?.(is);
  }

  #settle(): void {
    for (const waiter of this.#waiters.splice(0)) waiter();
  }

  #end(): void {
    this.#isWanted = false;
    this.#settle();
    this.#endSources();
  }

  /** Ends all but the last so many. */
  #endSources(but = 0): void {
    for (const end of this.#sources.splice(0, this.#sources.length - but)) end();
  }

  #open(track: MediaStreamTrack): void {
    const camera = this.#camera;
    const Processor = trackProcessor();
    // A track of the stream's own: its end is the stream's. See [Note: The end of a stream].
    const own = track.clone();
    if (Processor) {
      this.#give({ camera, stream: new Processor({ track: own }).readable }, () => own.stop());
      return;
    }
    try {
      this.#give({ camera, track: own }, () => undefined); // ended by whoever it is transferred to
    } catch {
      own.stop();
      this.#play(track);
    }
  }

  #give(pictured: Exclude<Pictured, { frame: VideoFrame }>, end: Source): void {
    const given = "stream" in pictured ? pictured.stream : pictured.track;
    this.#port.postMessage(pictured, [given as Transferable]);
    this.#sources.push(end);
  }

  #play(track: MediaStreamTrack): void {
    const camera = this.#camera;
    this.#endSources(); // no two elements at a time
    const post = (frame: VideoFrame): void => this.#port.postMessage({ camera, frame } satisfies Pictured, [frame]);
    this.#sources.push(playedSource(track, post));
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
