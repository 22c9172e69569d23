import { listDevices } from "./devices.ts";
import { CaptureRefused, refused } from "./refusal.ts";
import { type CaptureWish, cameraWish, microphoneWish } from "./wish.ts";

/** A driver may never answer; then the next device is tried. */
const OPEN_LIMIT_MS = 4_000;

/** What was opened, and whether the wished camera was held by another program. */
export interface Opened {
  stream: MediaStream;
  isBusy: boolean;
}

/** Opens camera and microphone; where the wished camera is busy, another one. Throws CaptureRefused. */
export async function openAny(wish: CaptureWish): Promise<Opened> {
  try {
    return { stream: await openWished(wish), isBusy: false };
  } catch (error) {
    const refusal = refused(error);
    if (refusal.code !== "busy") throw refusal;
    for (const { id } of (await listDevices()).cameras) {
      const stream = await openBoth({ ...wish, camera: id }, true).catch(() => null);
      if (stream) return { stream, isBusy: true };
    }
    throw refusal;
  }
}

/** The remembered camera, if it is there: as a mere ideal it would lose against another one's better size. */
async function openWished(wish: CaptureWish): Promise<MediaStream> {
  if (!wish.camera) return openBoth(wish);
  return openBoth(wish, true).catch((error: unknown) => {
    if (refused(error).code !== "none") throw error;
    return openBoth(wish);
  });
}

/** With one question to the person; the camera alone where there is no sound. */
async function openBoth(wish: CaptureWish, isExact = false): Promise<MediaStream> {
  const media = mediaDevices();
  const video = cameraWish(wish, isExact);
  try {
    return await media.getUserMedia({ video, audio: microphoneWish(wish) });
  } catch (error) {
    if (refused(error).code === "denied") throw refused(error);
  }
  // One of the two is missing or busy. Without sound a take is possible, without a picture not.
  try {
    return await media.getUserMedia({ video });
  } catch (error) {
    throw refused(error);
  }
}

/** Opens this camera and no other. Throws CaptureRefused. */
export function openCamera(wish: CaptureWish & { camera: string }): Promise<MediaStreamTrack> {
  return openTrack({ video: cameraWish(wish, true) });
}

/** Opens this microphone and no other. Throws CaptureRefused. */
export function openMicrophone(microphone: string): Promise<MediaStreamTrack> {
  return openTrack({ audio: microphoneWish({ microphone }, true) });
}

async function openTrack(constraints: MediaStreamConstraints): Promise<MediaStreamTrack> {
  const opening = mediaDevices().getUserMedia(constraints);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new CaptureRefused("busy")), OPEN_LIMIT_MS);
  });
  try {
    const [track] = (await Promise.race([opening, limit])).getTracks();
    if (!track) throw new CaptureRefused("none");
    return track;
  } catch (error) {
    // What opens later than that is wanted by nobody.
    opening.then((stream) => stream.getTracks().forEach((track) => track.stop())).catch(() => undefined);
    throw refused(error);
  } finally {
    clearTimeout(timer);
  }
}

function mediaDevices(): MediaDevices {
  // The property is absent on insecure pages, whatever its type says.
  const media = navigator.mediaDevices as MediaDevices | undefined;
  if (!media?.getUserMedia) throw new CaptureRefused("insecure");
  return media;
}
