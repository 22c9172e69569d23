/** What this browser can and cannot do for a video message. Nothing is asked of the person for it. */

import { canShareScreen } from "../media/screen";

export type Ability =
  | "camera"
  | "microphone"
  | "encoder"
  | "aac"
  | "player"
  | "storage"
  | "persistence"
  | "wake-lock"
  | "float"
  | "screen"
  | "share";

/** `helped`: not by itself, or not yet; there is a way round it. */
export type Can = "yes" | "helped" | "no";

export type Capabilities = Readonly<Record<Ability, Can>>;

/** What is asked, so that tests can answer for browsers that are not here. */
export interface Browser {
  devices: Pick<MediaDevices, "enumerateDevices"> | undefined;
  encodesPicture: () => Promise<boolean>;
  encodesAac: () => Promise<boolean>;
  hasRecorder: boolean;
  hasWasm: boolean;
  hasMediaSource: boolean;
  opensFiles: () => Promise<boolean>;
  isPersisted: (() => Promise<boolean>) | null;
  hasWakeLock: boolean;
  floats: boolean;
  sharesScreen: boolean;
  sharesFiles: boolean;
}

/** Looks at a browser. Never rejects: what fails is what it cannot. */
export async function capabilitiesOf(browser: Browser = thisBrowser()): Promise<Capabilities> {
  const plugged = await (browser.devices?.enumerateDevices().catch(() => []) ?? Promise.resolve([]));
  const device = (kind: MediaDeviceKind): Can => {
    if (browser.devices === undefined) return "no";
    return plugged.some((each) => each.kind === kind) ? "yes" : "helped";
  };
  const [picture, aac, files, persisted] = await Promise.all([
    holds(browser.encodesPicture),
    holds(browser.encodesAac),
    holds(browser.opensFiles),
    browser.isPersisted === null ? null : holds(browser.isPersisted),
  ]);
  return {
    camera: device("videoinput"),
    microphone: device("audioinput"),
    encoder: picture ? "yes" : browser.hasRecorder ? "helped" : "no",
    aac: aac ? "yes" : browser.hasWasm ? "helped" : "no",
    player: browser.hasMediaSource ? "yes" : "helped",
    storage: files ? "yes" : "no",
    persistence: persisted === null ? "no" : persisted ? "yes" : "helped",
    "wake-lock": browser.hasWakeLock ? "yes" : "no",
    float: browser.floats ? "yes" : "no",
    screen: browser.sharesScreen ? "yes" : "no",
    share: browser.sharesFiles ? "yes" : "helped",
  };
}

const PICTURE = { codec: "avc1.42001f", width: 1280, height: 720 };
const SOUND = { codec: "mp4a.40.2", sampleRate: 48_000, numberOfChannels: 1 };

function thisBrowser(): Browser {
  // What is absent in some browsers, whatever its type says.
  const { mediaDevices, storage, wakeLock, canShare } = navigator as Partial<Navigator>;
  const { VideoEncoder, AudioEncoder } = globalThis as Partial<typeof globalThis>;
  const file = new File([], "video.mp4", { type: "video/mp4" });
  return {
    devices: mediaDevices,
    encodesPicture: async () => (await VideoEncoder?.isConfigSupported(PICTURE))?.supported === true,
    encodesAac: async () => (await AudioEncoder?.isConfigSupported(SOUND))?.supported === true,
    hasRecorder: "MediaRecorder" in globalThis,
    hasWasm: "WebAssembly" in globalThis,
    hasMediaSource: "ManagedMediaSource" in globalThis || "MediaSource" in globalThis,
    opensFiles: async () => (await storage?.getDirectory()) !== undefined,
    isPersisted: storage?.persisted ? async () => storage.persisted() : null,
    hasWakeLock: wakeLock !== undefined,
    floats: document.pictureInPictureEnabled || "webkitSetPresentationMode" in HTMLVideoElement.prototype,
    sharesScreen: canShareScreen(),
    sharesFiles: canShare?.call(navigator, { files: [file] }) ?? false,
  };
}

async function holds(question: () => Promise<boolean>): Promise<boolean> {
  try {
    return await question();
  } catch {
    return false;
  }
}
