import type { SoundBlock } from "./sound.ts";

/**
 * Frames for a take, transferable to a worker: one camera's stream, or a port on which come, after `start`, the frames
 * of one camera after another.
 */
export type PictureFeed = ReadableStream<VideoFrame> | MessagePort;

/** What comes on a port: frames, or what gives frames. Cameras are counted; frames of an earlier one than the last are late. */
export type Pictured =
  | { camera: number; frame: VideoFrame }
  | { camera: number; stream: ReadableStream<VideoFrame> }
  | { camera: number; track: MediaStreamTrack };

/** What the reader says of a camera: its first frame is here, nothing has come for a while, its stream has ended, it cannot be read here. */
export interface Reported {
  camera: number;
  is: "seen" | "frozen" | "ended" | "unreadable";
}

export type TakeFrame = (frame: VideoFrame, camera: number) => void;

/**
 * Hands every frame to `take`, which closes it, until stopped; stopping settles when no frame is on its way any more.
 * See [Note: The end of a stream].
 */
export function readPictures(feed: PictureFeed, take: TakeFrame): () => Promise<void> {
  if (feed instanceof MessagePort) return new PortReader(feed, take).stop;
  const reader = feed.getReader();
  let isOn = true;
  const ended = pump(reader, (frame) => (isOn ? take(frame, 0) : frame.close())).catch(() => undefined);
  return async () => {
    isOn = false;
    await endOf([{ reader, ended }]);
  };
}

/** Hands every block of sound to `take` until stopped. */
export function readSound(port: MessagePort, take: (block: SoundBlock) => void): () => Promise<void> {
  port.onmessage = (event: MessageEvent<SoundBlock>) => take(event.data);
  const end = started(port);
  return () => Promise.resolve(end());
}

/**
 * [Note: The end of a stream] A stream of frames is not cancelled: Chromium loses the one that is on its way then, unclosed,
 * and cameras have few to give. Who made the stream ends its track, and here it is read to its end. Only one that does
 * not end is cancelled after all.
 */
const LAST_FRAME_MS = 1000;

interface Reading {
  reader: ReadableStreamDefaultReader<VideoFrame>;
  /** Never rejects. */
  ended: Promise<void>;
}

async function endOf(readings: readonly Reading[]): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, LAST_FRAME_MS)));
  await Promise.race([Promise.all(readings.map(({ ended }) => ended)), limit]);
  clearTimeout(timer);
  for (const { reader } of readings) reader.cancel().catch(() => undefined);
}

const LOOK_MS = 250;
/** Counted in looks, not in time: a thread that was held up itself looks but once for all of it. A second and a half. */
const FROZEN_LOOKS = 6;
/** A camera of which nothing was seen yet may still be waking up. */
const NEVER_SEEN_LOOKS = 16;

interface TrackProcessor {
  readable: ReadableStream<VideoFrame>;
}
type TrackProcessorType = new (options: { track: MediaStreamTrack }) => TrackProcessor;

/** The one thing that makes frames of a track: in the page in Chromium, in workers in Safari, nowhere in Firefox. */
export function trackProcessor(): TrackProcessorType | undefined {
  return (globalThis as { MediaStreamTrackProcessor?: TrackProcessorType }).MediaStreamTrackProcessor;
}

class PortReader {
  readonly #port: MessagePort;
  readonly #take: TakeFrame;
  readonly #readings = new Map<number, Reading & { endTrack: () => void }>();
  readonly #timer: ReturnType<typeof setInterval>;
  /** The camera that was seen last, and the last that was announced. */
  #camera = -1;
  #newest = -1;
  /** Since a frame was seen. */
  #looks = 0;
  #isFrozen = false;
  #isStopped = false;
  readonly stop: () => Promise<void>;

  constructor(port: MessagePort, take: TakeFrame) {
    this.#port = port;
    this.#take = take;
    port.onmessage = (event: MessageEvent<Pictured>) => this.#accept(event.data);
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    const end = started(port);
    this.stop = async () => {
      clearInterval(this.#timer);
      this.#isStopped = true;
      end();
      await this.#dropBefore(Infinity);
    };
  }

  #accept(pictured: Pictured): void {
    if (this.#newest < 0) this.#looks = 0; // from here on something may be expected
    this.#newest = pictured.camera;
    if ("frame" in pictured) return this.#see(pictured.frame, pictured.camera);
    const stream = "stream" in pictured ? pictured.stream : streamOf(pictured.track);
    if (stream === null) return this.#report(pictured.camera, "unreadable");
    // A track that came here is ours: we end it, or the camera would stay on.
    this.#read(stream, pictured.camera, () => "track" in pictured && pictured.track.stop());
  }

  #read(stream: ReadableStream<VideoFrame>, camera: number, endTrack: () => void): void {
    const reader = stream.getReader();
    // A camera that breaks ends its stream one way or another; the take goes on with its last picture.
    const ended = pump(reader, (frame) => this.#see(frame, camera))
      .catch(() => undefined)
      .finally(() => {
        endTrack();
        if (this.#readings.delete(camera)) this.#report(camera, "ended");
      });
    this.#readings.set(camera, { reader, ended, endTrack });
    // What comes after the stop is closed, too.
    if (this.#isStopped) void this.#dropBefore(Infinity);
  }

  #see(frame: VideoFrame, camera: number): void {
    if (this.#isStopped || camera < this.#camera) return frame.close();
    if (camera > this.#camera || this.#isFrozen) this.#report(camera, "seen");
    if (camera > this.#camera) void this.#dropBefore(camera);
    this.#camera = camera;
    this.#looks = 0;
    this.#isFrozen = false;
    this.#take(frame, camera);
  }

  async #dropBefore(camera: number): Promise<void> {
    const dropped = [...this.#readings].filter(([each]) => each < camera);
    for (const [each, { endTrack }] of dropped) {
      this.#readings.delete(each);
      endTrack();
    }
    await endOf(dropped.map(([, reading]) => reading));
  }

  #look(): void {
    this.#looks += 1;
    if (this.#newest < 0 || this.#looks < (this.#camera < 0 ? NEVER_SEEN_LOOKS : FROZEN_LOOKS)) return;
    this.#isFrozen = true;
    this.#looks = 0;
    this.#report(this.#newest, "frozen");
  }

  #report(camera: number, is: Reported["is"]): void {
    this.#port.postMessage({ camera, is } satisfies Reported);
  }
}

/** Says `start`; what it gives says `stop`. */
function started(port: MessagePort): () => void {
  port.postMessage("start");
  return () => {
    port.postMessage("stop");
    // What is still on its way is taken and thrown away there, so that frames get closed.
    setTimeout(() => port.close(), 1000);
  };
}

function streamOf(track: MediaStreamTrack): ReadableStream<VideoFrame> | null {
  const Processor = trackProcessor();
  return Processor ? new Processor({ track }).readable : null;
}

/** Hands over each frame until the end, or until one cannot be handed over: then the stream is let go, too. */
async function pump(reader: ReadableStreamDefaultReader<VideoFrame>, take: (frame: VideoFrame) => void): Promise<void> {
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    try {
      take(value);
    } catch (error) {
      value.close(); // twice does no harm
      reader.cancel().catch(() => undefined);
      throw error;
    }
  }
}
