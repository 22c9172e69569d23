import type { DeletionsPhase } from "../../state/deletions.svelte";
import type { ExportPhase } from "../../state/exporting.svelte";
import type { CleaningPhase, StoragePhase, Watched } from "../../state/mine.svelte";
import type { Failure, FrameView, PersonView } from "../views";

export type { CleaningPhase, DeletionsPhase, ExportPhase, StoragePhase, Watched };

export interface MineProps {
  frame: FrameView;
  state: StoragePhase;
  cleaning: CleaningPhase;
  exporting: ExportPhase;
  /** The network is away while it is exported. */
  held: boolean;
  /** How many videos play on this device without the network. */
  here: number;
  now: number;
  /** The account is being deleted, or was not. */
  ending: { working: boolean; failure: Failure | null };
  named: (account: string) => PersonView;
  watchedBefore: (ms: number) => Watched;
  onclean: (watched: Watched) => void;
  onundo: () => void;
  onletgo: () => void;
  onexport: () => void;
  onstop: () => void;
  onend: () => void;
  onretry: () => void;
}

export interface DeletionsProps {
  frame: FrameView;
  state: DeletionsPhase;
  now: number;
  named: (account: string) => PersonView;
  onretry: () => void;
}
