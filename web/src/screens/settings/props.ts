import type { Capabilities } from "../../state/capabilities";
import type { Failure, FrameView } from "../views";
import type { KeysProps } from "./keys";
import type { WaysInProps } from "./ways";

export type { Ability, Can } from "../../state/capabilities";

export interface SessionView {
  id: string;
  /** Where it is signed in. */
  client: "web" | "cli";
  createdAt: number;
  usedAt: number;
  current: boolean;
}

export interface Choices {
  language: string;
  theme: "system" | "light" | "dark";
  beep: boolean;
  /** Three, two, one before a recording. */
  countdown: boolean;
  /** Whether keys of one letter count. */
  letters: boolean;
}

export interface BrowserProps {
  frame: FrameView;
  /** Null while it is looked at. */
  abilities: Capabilities | null;
}

export interface SettingsProps {
  frame: FrameView;
  ways: WaysInProps;
  keys: KeysProps;
  choices: Choices;
  onchoose: (changed: Partial<Choices>) => void;
  sessions:
    | { kind: "loading" }
    | { kind: "ready"; list: readonly SessionView[] }
    | { kind: "failed"; failure: Failure }
    | { kind: "offline" };
  /** What lies on this device; null while it is measured. `persisted`: the browser promised to keep it. */
  storage: { usedBytes: number; quotaBytes: number; drafts: number; persisted: boolean } | null;
  now: number;
  /** How many videos are on their way from here. */
  going: number;
  /** Asks the browser to keep what is stored. */
  onpersist: () => void;
  onend: (sessionId: string) => void;
  onretry: () => void;
  onsignout: () => void;
  onsignouteverywhere: () => void;
}
