import type { DeliveryView, Failure, FrameView, OutgoingView } from "../views";

export interface SentItem {
  id: string;
  kind: "video" | "text" | "reaction";
  picture: string | null;
  durationMs: number;
  bytes: number;
  caption: string;
  keptAt: number | null;
  storedAt: number;
  deliveries: readonly DeliveryView[];
}

export interface SentProps {
  frame: FrameView;
  state: { kind: "loading" } | { kind: "ready" } | { kind: "failed"; failure: Failure } | { kind: "offline" };
  items: readonly SentItem[];
  outgoing: readonly OutgoingView[];
  /** From whom one was just taken back, while that can be undone. */
  taken: string | null;
  /** Leaves it to them after all. */
  onleave: () => void;
  now: number;
  /** Opens a take that is still on its way. */
  ondraft: (draftId: string) => void;
  /** Watch one's own copy. */
  onopen: (messageId: string) => void;
  /** Deletes it for everybody. */
  onundo: (messageId: string) => void;
  onretry: () => void;
}
