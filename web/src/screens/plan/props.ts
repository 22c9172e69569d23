import type { Payment, PlanPhase } from "../../state/plan.svelte";
import type { Failure, FrameView } from "../views";

export type { Payment, Plan, Standing } from "../../state/plan.svelte";

export interface PlanProps {
  frame: FrameView;
  state: PlanPhase;
  /** A plan whose payment is being begun; `manage` or `refresh`. */
  working: string | null;
  failure: Failure | null;
  /** How to pay without a page. */
  payment: Payment | null;
  now: number;
  onpay: (plan: string) => void;
  onmanage: () => void;
  onretry: () => void;
}
