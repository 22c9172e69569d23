import type { Failure } from "../views";

export interface LeftItem {
  id: string;
  /** Null while it is not known: it was cut short. */
  durationMs: number | null;
  recordedAt: number;
}

export interface LeftHereProps {
  /** The newest first; null while this device is looked through. */
  items: readonly LeftItem[] | null;
  failure: Failure | null;
  now: number;
  go: (path: string) => void;
  onlanguage: (locale: string) => void;
  onsave: (draftId: string) => void;
  onretry: () => void;
}
