/** What a test does to the devices of a page: makes them busy, lost, mute or silent. */

const media = navigator.mediaDevices;
const ask = media.getUserMedia.bind(media);

/** Refuses, by the name of the browser's error, what a pattern finds in the wish. Each call replaces the one before. */
export function refuse(pattern: string | null, name = "NotReadableError"): void {
  media.getUserMedia = (wish) =>
    pattern !== null && new RegExp(pattern).test(JSON.stringify(wish))
      ? Promise.reject(new DOMException("stand-in", name))
      : ask(wish);
}

/** Cameras that are opened from now on are upright. */
export function turnCameras(): void {
  media.getUserMedia = (wish) => {
    const size = { width: { exact: 360 }, height: { exact: 480 } };
    return ask(wish?.video ? { ...wish, video: { ...(wish.video as MediaTrackConstraints), ...size } } : (wish ?? {}));
  };
}

/** Streams that are opened from now on give so many frames and then nothing, without ending. */
export function freezeAfter(frames: number): void {
  const scope = globalThis as unknown as {
    MediaStreamTrackProcessor: new (options: object) => { readable: ReadableStream };
  };
  const Native = scope.MediaStreamTrackProcessor;
  scope.MediaStreamTrackProcessor = class {
    readonly readable: ReadableStream;

    constructor(options: object) {
      let count = 0;
      const some = new TransformStream<VideoFrame, VideoFrame>({
        transform(frame, controller) {
          count += 1;
          if (count <= frames) controller.enqueue(frame);
          else frame.close();
        },
      });
      this.readable = new Native(options).readable.pipeThrough(some);
      scope.MediaStreamTrackProcessor = Native;
    }
  };
}

/** As the system does it. */
export function mute(track: MediaStreamTrack, isMuted: boolean): void {
  Object.defineProperty(track, "muted", { configurable: true, get: () => isMuted });
  track.dispatchEvent(new Event(isMuted ? "mute" : "unmute"));
}

/** As when it is unplugged. */
export function unplug(track: MediaStreamTrack): void {
  track.stop();
  track.dispatchEvent(new Event("ended"));
}

/** As when something is plugged in. */
export function replug(): void {
  media.dispatchEvent(new Event("devicechange"));
}
