import type { SoundBlock } from "./sound.ts";

/** Frames of a camera, transferable to a worker: a stream where the browser makes one, else a port that posts them after `start`. */
export type PictureFeed = ReadableStream<VideoFrame> | MessagePort;

/** Hands every frame to `take`, which closes it, until stopped. */
export function readPictures(feed: PictureFeed, take: (frame: VideoFrame) => void): () => void {
  return feed instanceof MessagePort ? readPort(feed, take) : readStream(feed, take);
}

/** Hands every block of sound to `take` until stopped. */
export function readSound(feed: MessagePort, take: (block: SoundBlock) => void): () => void {
  return readPort(feed, take);
}

function readPort<T>(port: MessagePort, take: (data: T) => void): () => void {
  port.onmessage = (event: MessageEvent<T>) => take(event.data);
  port.postMessage("start");
  return () => {
    port.postMessage("stop");
    // What is still on its way is taken and thrown away there, so that frames get closed.
    setTimeout(() => port.close(), 1000);
  };
}

function readStream(stream: ReadableStream<VideoFrame>, take: (frame: VideoFrame) => void): () => void {
  const reader = stream.getReader();
  const pump = async (): Promise<void> => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      take(value);
    }
  };
  // A camera that breaks ends its stream one way or another; the take goes on with its last picture.
  pump().catch(() => undefined);
  return () => void reader.cancel().catch(() => undefined);
}
