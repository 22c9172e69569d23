/** What is asked of a browser for a camera and a microphone. */

export interface CaptureWish {
  /** Device ids, as remembered; a device that is gone is replaced by another. */
  camera?: string;
  microphone?: string;
  width: number;
  height: number;
}

const FRAME_RATE = 30;

export function cameraWish({ camera, width, height }: CaptureWish, isExact = false): MediaTrackConstraints {
  const size = { width: { ideal: width }, height: { ideal: height } };
  return { ...size, ...deviceWish(camera, isExact, { facingMode: { ideal: "user" } }), frameRate: rate() };
}

export function microphoneWish(
  { microphone }: Pick<CaptureWish, "microphone">,
  isExact = false,
): MediaTrackConstraints {
  return {
    ...deviceWish(microphone, isExact, {}),
    channelCount: { ideal: 1 },
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
  };
}

function deviceWish(id: string | undefined, isExact: boolean, none: MediaTrackConstraints): MediaTrackConstraints {
  if (!id) return none;
  return { deviceId: isExact ? { exact: id } : { ideal: id } };
}

function rate(): ConstrainDoubleRange {
  return { ideal: FRAME_RATE, max: FRAME_RATE };
}
