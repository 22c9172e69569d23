/** The cameras and microphones of this machine, as a person would name them. */

export type Facing = "front" | "rear" | null;

export interface Device {
  readonly id: string;
  readonly label: string;
  /** Which way a camera looks, as far as that is known. */
  readonly facing: Facing;
}

export interface Devices {
  readonly cameras: readonly Device[];
  readonly microphones: readonly Device[];
}

const FRONT = /front|avant|user|selfie|facetime/i;
const REAR = /back|rear|arri[èe]re|environment|world/i;
/** Chromium's ids for what the system chose; most often the chosen device is in the list itself, too. */
const ALIASES = new Set(["default", "communications"]);

/** Lists what is plugged in; names are there once a permission was given. Never rejects. */
export async function listDevices(): Promise<Devices> {
  const all = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  const known = all.filter(({ deviceId }) => deviceId !== "");
  const sounds = known.filter(({ kind }) => kind === "audioinput");
  const isAlias = ({ deviceId, label }: MediaDeviceInfo): boolean =>
    ALIASES.has(deviceId) && sounds.some((other) => other.deviceId !== deviceId && isNamed(label, other.label));
  const microphones = sounds.filter((each) => !isAlias(each));
  return {
    cameras: known.filter(({ kind }) => kind === "videoinput").map(cameraOf),
    microphones: microphones.map(({ deviceId, label }) => deviceOf(deviceId, label, null)),
  };
}

/** The device behind an open track; where the system chose it, its own name is looked up. */
export function deviceOfTrack(track: MediaStreamTrack, known: readonly Device[]): Device {
  const { deviceId = "", facingMode } = track.getSettings();
  const found = known.find(({ id }) => id === deviceId) ?? known.find(({ label }) => isNamed(track.label, label));
  const facing = facingOf([facingMode ?? ""], "");
  return found ? { ...found, facing: facing ?? found.facing } : deviceOf(deviceId, track.label, facing);
}

/** The camera that looks the other way, or else the next in the list; null when there is no other. */
export function otherSide(cameras: readonly Device[], current: Device | null): Device | null {
  const others = cameras.filter(({ id }) => id !== current?.id);
  const wanted = current?.facing === "front" ? "rear" : "front";
  const next = cameras[(cameras.findIndex(({ id }) => id === current?.id) + 1) % cameras.length];
  const facing = current?.facing == null ? undefined : others.find((device) => device.facing === wanted);
  return facing ?? (others.length > 0 ? (next ?? null) : null);
}

function cameraOf(info: MediaDeviceInfo): Device {
  const { facingMode = [] } = capabilitiesOf(info);
  return deviceOf(info.deviceId, info.label, facingOf(facingMode, info.label));
}

/** Firefox tells none, and does not even know the class that would. */
function capabilitiesOf(info: Partial<InputDeviceInfo>): MediaTrackCapabilities {
  return info.getCapabilities?.call(info) ?? {};
}

function deviceOf(id: string, label: string, facing: Facing): Device {
  return { id, label, facing };
}

/** Pure: what modes or, without any, a name say of where a camera looks. */
export function facingOf(modes: readonly string[], label: string): Facing {
  if (modes.includes("environment")) return "rear";
  if (modes.includes("user")) return "front";
  if (REAR.test(label)) return "rear";
  return FRONT.test(label) ? "front" : null;
}

function isNamed(track: string, label: string): boolean {
  return label !== "" && (track === label || track.endsWith(` - ${label}`));
}
