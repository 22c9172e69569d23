import type { PlaybackView } from "../../ui/playback.svelte";
import type { AddingView, DeliveryView, Failure, FrameView, PersonView } from "../views";

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
      held: "offline" | "server-full" | "signed-out" | null;
    }
  | { kind: "sent"; keptAt: number; storedAt: number; totalBytes: number; deliveries: readonly DeliveryView[] }
  /** The draft cannot be opened, or the send was refused for good. The file can still be saved. */
  | { kind: "failed"; failure: Failure };

export interface ReviewProps {
  frame: FrameView;
  state: ReviewState;
  playback: PlaybackView | null;
  picture: string | null;
  people: readonly PersonView[];
  /** Accounts that were chosen. */
  recipients: readonly string[];
  caption: string;
  /** Longest caption, in UTF-8 bytes. */
  captionBytes: number;
  adding: AddingView;
  /** Percent of the file that is written, while it is saved. */
  saving: number | null;
  /** The clock, for words such as "today". */
  now: number;
  onrecipients: (accounts: readonly string[]) => void;
  oncaption: (text: string) => void;
  onadd: (account: string) => void;
  onsend: () => void;
  /** Puts this take away and opens the camera again. */
  onagain: () => void;
  ondiscard: () => void;
  onsave: () => void;
  onretry: () => void;
  /** Takes back what was sent: deletes it for everybody. */
  onundo: () => void;
  /** To the inbox; whatever is on its way goes on. */
  ondone: () => void;
}
