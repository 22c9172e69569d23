import type { PlaybackView } from "../../ui/playback.svelte";
import type { OpensProps } from "../opens/props";
import type { AddingView, DeliveryView, Failure, FrameView, GroupView, PersonView } from "../views";

export type ReviewState =
  /** The draft is being opened from this device. */
  | { kind: "opening" }
  | { kind: "ready" }
  /** Send was pressed; the upload catches up. `percent` is acknowledged, never rounded up. */
  | {
      kind: "sending";
      percent: number;
      storedBytes: number;
      totalBytes: number;
      held: "offline" | "server-full" | "signed-out" | "plan" | null;
    }
  | { kind: "sent"; keptAt: number; storedAt: number; totalBytes: number; deliveries: readonly DeliveryView[] }
  /** The draft cannot be opened, or the send was refused (`refused`). The file can still be saved. */
  | { kind: "failed"; failure: Failure; refused: boolean };

/** Why a change was not made; `line` is that of a captions' file. */
export type EditFailureView = Failure & { what: "trim" | "poster" | "captions"; line: number | null };

/** What is being changed in the take, or was just now. */
export interface EditingView {
  /** How far the cut is, 0 to 1; null while nothing is cut. */
  trimming: number | null;
  failure: EditFailureView | null;
  captions: string | null;
  done: "poster" | "captions" | null;
}

/** What the sender allows, and how long it lasts: days, or null until somebody deletes it. */
export interface TermsView {
  lasts: number | "until-played" | null;
  once: boolean;
  mayForward: boolean;
}

export interface ReviewProps {
  frame: FrameView;
  state: ReviewState;
  playback: PlaybackView | null;
  picture: string | null;
  people: readonly PersonView[];
  groups: readonly GroupView[];
  /** Accounts that were chosen. */
  recipients: readonly string[];
  caption: string;
  terms: TermsView;
  /** Whether sending is open here. */
  opens: OpensProps;
  /** Longest caption, in UTF-8 bytes. */
  captionBytes: number;
  adding: AddingView;
  /** Percent of the file that is written, while it is saved. */
  saving: number | null;
  /** The clock, for words such as "today". */
  now: number;
  editing: EditingView;
  /** False when the browser has cleared the video from this device and the server has all of it: it can only be sent. */
  isHere: boolean;
  /** The take that this one replaced was just given up, and can still be brought back. */
  replaced: boolean;
  /** Really removes what lies outside. */
  ontrim: (cut: { fromMs: number; toMs: number }) => void;
  ontrimcancel: () => void;
  /** Makes this moment the picture in lists. */
  onposter: (ms: number) => void;
  /** Tells whether they were taken; null takes them away. */
  oncaptions: (text: string | null) => Promise<boolean>;
  onbringback: () => void;
  onrecipients: (accounts: readonly string[]) => void;
  oncaption: (text: string) => void;
  onterms: (terms: TermsView) => void;
  onadd: (account: string) => void;
  onsend: () => void;
  /** Opens the camera again; this take stays until the new one is kept. */
  onagain: () => void;
  ondiscard: () => void;
  onsave: () => void;
  onretry: () => void;
  /** A send was refused: back to for whom it is. */
  onaddress: () => void;
  /** To links to it, once it was sent. */
  onlink: () => void;
  /** Takes back what was sent: deletes it for everybody. */
  onundo: () => void;
  /** To the inbox; whatever is on its way goes on. */
  ondone: () => void;
}
