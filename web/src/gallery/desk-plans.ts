/** Plans at the operator's desk in their states. */

import DeskPlans from "../screens/desk/DeskPlans.svelte";
import type { DeskGrant, DeskPlansProps, DeskPlansView } from "../screens/desk/plans-props";
import { exhibit, nothing, type Exhibit } from "./exhibit";
import { DAYS_AGO, frame, NOW } from "./people";
import { PREMIUM, TRIAL } from "./plan";

const GIFT: DeskGrant = {
  ...{ id: "grt_1", account: "claire", plan: "", videos: 10, begins_at: DAYS_AGO(3), ends_at: null },
  ...{ source: "operator", reference: null, reason: "For the pictures of the harbour", created_at: DAYS_AGO(3) },
};
const TRANSFER: DeskGrant = {
  ...{ id: "grt_2", account: "joseph", plan: "premium", videos: 0, begins_at: DAYS_AGO(9), ends_at: DAYS_AGO(-21) },
  ...{ source: "manual", reference: "bank 2026-11-13/17", reason: "", created_at: DAYS_AGO(9) },
};
const ENDED: DeskGrant = { ...TRANSFER, id: "grt_3", account: "mina", plan: "gold", ends_at: DAYS_AGO(1) };
const NONE = { paid: 0, ending: 0, late: 0, granted: 0 };
const VIEW: DeskPlansView = {
  plans: {
    on: true,
    items: [
      { plan: TRIAL, ...NONE },
      { plan: PREMIUM, paid: 12, ending: 3, late: 1, granted: 2 },
    ],
    pays_by: "manual",
    grace_days: 7,
  },
  grants: { items: [GIFT, TRANSFER, ENDED], more: true },
};
const desk = (more: Partial<DeskPlansProps>): Exhibit =>
  exhibit(DeskPlans, {
    ...{ frame: frame(), state: { kind: "ready", desk: VIEW }, working: false, failure: null, done: null, now: NOW },
    ...{ ongive: nothing, onpay: nothing, onend: nothing, onlook: nothing },
    ...more,
  });
const OFF: DeskPlansView = {
  plans: { on: false, items: [], pays_by: "none", grace_days: 0 },
  grants: { items: [], more: false },
};

export const DESK_PLANS: Record<string, Exhibit> = {
  "desk/plans": desk({}),
  "desk/plans-given": desk({ done: GIFT }),
  "desk/plans-nobody": desk({ failure: { code: "no-such-account" } }),
  "desk/plans-paid-before": desk({ failure: { code: "paid-before" } }),
  "desk/plans-off": desk({ state: { kind: "ready", desk: OFF } }),
  "desk/plans-loading": desk({ state: { kind: "loading" } }),
  "desk/plans-closed": desk({ state: { kind: "closed" } }),
};
