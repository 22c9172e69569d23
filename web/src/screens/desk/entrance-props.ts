import type { DeskCase, DeskDoor, DeskInvite, DeskSwitch, DeskWaiter, EntranceView } from "../../state/entrance.svelte";
import type { DeskPhase } from "../../state/desk-phase";
import type { Failure, FrameView } from "../views";

export type { DeskCase, DeskDoor, DeskInvite, DeskSwitch, DeskWaiter, EntranceView };

export interface SwitchesProps {
  doors: readonly DeskDoor[];
  draft: readonly DeskSwitch[];
  preview: readonly DeskCase[] | null;
  working: boolean;
  onset: (what: DeskSwitch["what"], name: string, wanted: Pick<DeskSwitch, "phase" | "opens_at"> | null) => void;
  onpreview: () => void;
  onapply: () => void;
}

export interface EntranceProps extends Omit<SwitchesProps, "doors"> {
  frame: FrameView;
  state: DeskPhase<EntranceView>;
  failure: Failure | null;
  /** Address of an invite that was just made; empty: none was. */
  link: string;
  now: number;
  onlook: () => void;
  oninvite: (waiting: number) => void;
  onmake: (note: string, uses: number) => void;
  onrevoke: (invite: string) => void;
}
