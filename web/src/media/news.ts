import type { Device } from "./devices.ts";

/** Why another device is in use: a person's choice, or what happened to the one before. */
export type SwitchReason = "chosen" | "unplugged" | "busy" | "muted" | "frozen";

/** What happens to the devices of a capture. */
export type CaptureNews =
  | { kind: "camera-switched"; to: Device; why: SwitchReason }
  /** No camera is left: a take goes on with its last picture. */
  | { kind: "camera-lost" }
  | { kind: "camera-back"; to: Device }
  | { kind: "microphone-switched"; to: Device; why: SwitchReason }
  /** No microphone is left: a take goes on in silence. */
  | { kind: "microphone-lost" }
  | { kind: "microphone-back"; to: Device }
  | { kind: "devices-changed" }
  /** The system took the devices away for a while: a phone call, or a page in the background. A take should pause. */
  | { kind: "interrupted"; why: "call" | "hidden" }
  | { kind: "interruption-over" };
