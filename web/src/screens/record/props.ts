import type { Device, DeviceNews } from "../../state/recording-devices.svelte";
import type { OpensProps } from "../opens/props";
import type { Failure, PersonView } from "../views";

export type { Device, DeviceNews } from "../../state/recording-devices.svelte";

/** What is said over the picture while the take goes on. */
export type RecordNotice =
  "offline" | "silent" | "device-nearly-full" | "server-full" | "signed-out" | "plan" | "smaller";

/** Why the take ended by itself. All of it is kept. */
export type StopReason = "limit" | "device-full" | "encoder";

/** Why there is no picture. `insecure`: browsers give cameras to https only; `unsupported`: this one cannot write video. */
export type ClosedReason = "denied" | "none" | "busy" | "insecure" | "unsupported";

export type RecordState =
  /** The browser asks whether the camera may be used. */
  | { kind: "asking" }
  | { kind: ClosedReason }
  | { kind: "ready" }
  | { kind: "counting"; seconds: number }
  | { kind: "beep" }
  /** `paused`: the person wished it, or the system took the devices away. */
  | {
      kind: "recording";
      keptMs: number;
      storedMs: number;
      notice: RecordNotice | null;
      paused: "person" | "call" | "hidden" | null;
    }
  /** Stop was pressed; the last second is being kept. */
  | { kind: "finishing"; keptMs: number }
  | { kind: "stopped"; why: StopReason; keptMs: number; storedMs: number }
  /** A file is being converted; `done` is 0 to 1. */
  | { kind: "importing"; name: string; done: number }
  | { kind: "file-refused"; code: string; facts: FileFactsView };

export interface FileFactsView {
  /** Its length, when it is too long. */
  ms?: number;
  /** What cannot be decoded. */
  codec?: string;
  track?: "picture" | "sound";
}

/** The devices, and the screen where it can be shared. */
export interface DevicesView {
  cameras: readonly Device[];
  microphones: readonly Device[];
  camera: Device | null;
  microphone: Device | null;
  news: DeviceNews | null;
  /** Screen and camera in one picture: on, off, or nothing that this browser can. */
  screen: "on" | "off" | null;
  /** Why the screen is not shared though it was wished. */
  screenFailure: Failure | null;
}

export interface RecordProps {
  state: RecordState;
  /** What will be recorded. */
  stream: MediaStream | null;
  devices: DevicesView;
  /** Loudness, 0 to 1; null without a microphone. */
  level: number | null;
  /** Nothing was heard for some seconds. */
  unheard: boolean;
  limitMs: number;
  /** For whom it is, when this answers somebody. */
  to: PersonView | null;
  offline: boolean;
  /** Videos that the plan still lets them send; null or nothing: as many as one likes. */
  videosLeft?: number | null;
  /** What is said of a payment that failed; null: none did. */
  planLate?: { kind: "plain" | "care" | "bad"; title: string; text?: string } | null;
  /** Whether sending is open to whoever records; nothing: it is not asked. */
  opens?: OpensProps;
  /** Seconds that still fit on this device, when they are few. */
  roomS: number | null;
  /** Three, two, one before a recording. */
  countdown: boolean;
  /** A take lies aside until this one is kept. */
  aside: boolean;
  letters: boolean;
  /** Whoever records here has no account: the ways out lead back to where they came from. */
  outside?: boolean;
  onstart: () => void;
  onstop: () => void;
  onpause: () => void;
  onresume: () => void;
  /** Ends the countdown. */
  oncancel: () => void;
  /** Leaves the screen; never offered while a take runs. */
  onclose: () => void;
  /** Asks for the camera again. */
  onretry: () => void;
  /** On to the review of what was recorded. */
  onreview: () => void;
  /** Starts over; what there is lies aside until the new take is kept. */
  onagain: () => void;
  /** Back to the take that lies aside. */
  onback: () => void;
  onsave: () => void;
  oncamera: (id: string) => void;
  onmicrophone: (id: string) => void;
  /** To the other side, or the next camera. */
  onturn: () => void;
  onnextmicrophone: () => void;
  onscreen: () => void;
  oncountdown: (isOn: boolean) => void;
  onfile: (file: File) => void;
  /** Takes the refused file another way. */
  onfileas: (wish: { firstMs?: number; isSilent?: boolean }) => void;
  onfilecancel: () => void;
}
