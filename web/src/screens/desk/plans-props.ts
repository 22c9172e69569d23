import type { DeskPhase } from "../../state/desk-phase";
import type { DeskGrant, DeskPlan, DeskPlansView, Gift, Paid } from "../../state/desk-plans.svelte";
import type { Failure, FrameView } from "../views";

export type { DeskGrant, DeskPlan, DeskPlansView, Gift, Paid };

export interface GivingProps {
  plans: readonly DeskPlan[];
  working: boolean;
  ongive: (gift: Gift) => void;
  onpay: (paid: Paid) => void;
}

export interface DeskPlansProps extends Omit<GivingProps, "plans"> {
  frame: FrameView;
  state: DeskPhase<DeskPlansView>;
  failure: Failure | null;
  /** What was just given, recorded or ended. */
  done: DeskGrant | null;
  now: number;
  onend: (grant: string) => void;
  onlook: () => void;
}
