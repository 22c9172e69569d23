import type { PersonView } from "../views";

/** What is said over the picture while the take goes on. */
export type RecordNotice = "offline" | "silent" | "device-nearly-full" | "server-full" | "signed-out";

/** Why the take ended by itself. All of it is kept. */
export type StopReason = "limit" | "camera-lost" | "device-full" | "encoder";

export type RecordState =
  /** The browser asks whether the camera may be used. */
  | { kind: "asking" }
  | { kind: "denied" }
  | { kind: "none" }
  | { kind: "busy" }
  /** This browser has no WebCodecs or no secure origin. */
  | { kind: "unsupported" }
  | { kind: "ready" }
  | { kind: "counting"; seconds: number }
  | { kind: "beep" }
  | { kind: "recording"; keptMs: number; storedMs: number; notice: RecordNotice | null }
  /** Stop was pressed; the last second is being kept. */
  | { kind: "finishing"; keptMs: number }
  | { kind: "stopped"; why: StopReason; keptMs: number; storedMs: number };

export interface RecordProps {
  state: RecordState;
  /** What the camera sees; shown mirrored. */
  stream: MediaStream | null;
  /** Loudness, 0 to 1; null without a microphone. */
  level: number | null;
  limitMs: number;
  /** For whom it is, when this answers somebody. */
  to: PersonView | null;
  offline: boolean;
  /** Seconds that still fit on this device, where the notice says that it is nearly full. */
  roomS: number | null;
  letters: boolean;
  onstart: () => void;
  onstop: () => void;
  /** Ends the countdown. */
  oncancel: () => void;
  /** Leaves the screen; never offered while a take runs. */
  onclose: () => void;
  /** Asks for the camera again. */
  onretry: () => void;
  /** On to the review of what was stopped. */
  onreview: () => void;
  /** Puts the stopped take away and starts over. */
  onagain: () => void;
  onsave: () => void;
}
