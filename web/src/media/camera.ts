import type { PictureFeed } from "./feeds.ts";

/** Frames of a camera, and how to end them. */
export interface CameraFeed {
  feed: PictureFeed;
  close(): void;
}

interface TrackProcessor {
  readable: ReadableStream<VideoFrame>;
}
type TrackProcessorType = new (options: { track: MediaStreamTrack }) => TrackProcessor;

/** Opens a feed that starts with the present frame. */
export function openCameraFeed(stream: MediaStream, track: MediaStreamTrack): CameraFeed {
  const Processor = (globalThis as { MediaStreamTrackProcessor?: TrackProcessorType }).MediaStreamTrackProcessor;
  if (Processor) {
    // Read and ended by whoever it is transferred to.
    return { feed: new Processor({ track }).readable, close: () => undefined };
  }
  return openPlayedFeed(stream);
}

/** Where a track's frames cannot be had, those of a video element that plays it can. */
function openPlayedFeed(stream: MediaStream): CameraFeed {
  const { port1, port2 } = new MessageChannel();
  const element = document.createElement("video");
  element.muted = true;
  element.playsInline = true;
  element.srcObject = stream;
  let isOpen = true;
  let isWanted = false;
  const post = (now: number, { captureTime }: VideoFrameCallbackMetadata): void => {
    if (!isOpen) return;
    element.requestVideoFrameCallback(post);
    if (!isWanted) return;
    const frame = new VideoFrame(element, { timestamp: Math.round((captureTime ?? now) * 1000) });
    port1.postMessage(frame, [frame as unknown as Transferable]);
  };
  port1.onmessage = (event: MessageEvent<"start" | "stop">) => {
    isWanted = event.data === "start";
  };
  element.requestVideoFrameCallback(post);
  element.play().catch(() => undefined);
  const close = (): void => {
    isOpen = false;
    element.srcObject = null;
    port1.close();
  };
  return { feed: port2, close };
}
