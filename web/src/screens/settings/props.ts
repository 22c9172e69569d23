import type { Capabilities } from "../../state/capabilities";
import type { OpensProps } from "../opens/props";
import type { Standing } from "../plan/props";
import type { Failure, FrameView } from "../views";
import type { KeysProps } from "./keys";
import type { WaysInProps } from "./ways";

export type { Ability, Can } from "../../state/capabilities";

export interface DeviceView {
  id: string;
  /** As its owner's keyring calls it, else as it calls itself; may be empty. */
  label: string;
  /** Where it is signed in; null: it can open the mailbox, but is not signed in. */
  client: "web" | "cli" | null;
  since: number;
  usedAt: number | null;
  isHere: boolean;
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

/** `signed`: with a receipt; `plain`: the server says so; `off`: nobody is told. */
export type Receipts = "signed" | "plain" | "off";

export interface BrowserProps {
  frame: FrameView;
  /** Null while it is looked at. */
  abilities: Capabilities | null;
}

export interface SettingsProps {
  frame: FrameView;
  ways: WaysInProps;
  keys: KeysProps;
  opens: OpensProps;
  /** The account's plan; null: nobody knows yet. */
  plan: Standing | null;
  /** Whether the account runs this server. */
  operator: boolean;
  choices: Choices;
  onchoose: (changed: Partial<Choices>) => void;
  /** What senders hear of what came and was played. */
  receipts: Receipts;
  onreceipts: (receipts: Receipts) => void;
  devices:
    | { kind: "loading" }
    | { kind: "ready"; list: readonly DeviceView[] }
    | { kind: "failed"; failure: Failure }
    | { kind: "offline" };
  /** Which of them are being removed. */
  removing: ReadonlySet<string>;
  /** What lies on this device; null while it is measured. `persisted`: the browser promised to keep it. */
  storage: { usedBytes: number; quotaBytes: number; drafts: number; persisted: boolean } | null;
  now: number;
  /** How many videos are on their way from here. */
  going: number;
  /** How many answers in words have not left. */
  words: number;
  /** Asks the browser to keep what is stored. */
  onpersist: () => void;
  onremove: (deviceId: string) => void;
  onremoveothers: () => void;
  onretry: () => void;
  onsignout: () => void;
  onsignouteverywhere: () => void;
}
