import Plan from "../screens/plan/Plan.svelte";
import type { PlanProps, Plan as PlanView, Standing } from "../screens/plan/props";
import { exhibit, nothing, type Exhibit } from "./exhibit";
import { DAYS_AGO, NOW, frame } from "./people";

export const TRIAL: PlanView = {
  id: "trial",
  name: { en: "Trial", fr: "Essai" },
  price: "0",
  currency: "usd",
  every: null,
  messages: 20,
  per: "once",
  kept_bytes: null,
  retention_days: null,
  features: ["links", "page"],
  tax: "added",
};
export const PREMIUM: PlanView = {
  ...TRIAL,
  id: "premium",
  name: { en: "Premium" },
  price: "4.99",
  every: "month",
  messages: null,
  per: "month",
};
const AHEAD = 2 * NOW - DAYS_AGO(18);
export const STANDING: Standing = {
  on: true,
  plan: TRIAL,
  state: "free",
  until_at: null,
  used: 17,
  messages: 20,
  anew_at: null,
  kept_bytes: 0,
  kept_most: null,
  retention_days: null,
  features: ["links", "page"],
  offers: [PREMIUM],
  pays_by: "stripe",
  manages: false,
};
export const PAID: Standing = {
  ...STANDING,
  plan: PREMIUM,
  state: "paid",
  until_at: AHEAD,
  messages: null,
  manages: true,
};

const plan = (standing: Standing, more: Partial<PlanProps> = {}): Exhibit =>
  exhibit(Plan, {
    frame: frame(),
    state: { kind: "ready", standing },
    working: null,
    failure: null,
    payment: null,
    now: NOW,
    onpay: nothing,
    onmanage: nothing,
    onretry: nothing,
    ...more,
  });
const transfer = { url: "", words: { en: "To IBAN XX00 0000 0000.", fr: "Sur l’IBAN XX00 0000 0000." } };

export const PLAN: Record<string, Exhibit> = {
  "plan/ready": plan(STANDING),
  "plan/used-up": plan({ ...STANDING, used: 20 }),
  "plan/paid": plan(PAID),
  "plan/late": plan({ ...PAID, state: "late" }),
  "plan/ending": plan({ ...PAID, state: "ending" }),
  "plan/kept": plan({ ...STANDING, kept_bytes: 1.2e9, kept_most: 2e9, retention_days: 90 }),
  "plan/transfer": plan({ ...STANDING, pays_by: "manual" }, { payment: { ...transfer, reference: "RQ7K-M2XA" } }),
  "plan/asking": plan(STANDING, { working: "refresh" }),
  "plan/refused": plan(STANDING, { failure: { code: "payments-silent" } }),
  "plan/off": plan({ ...STANDING, on: false, plan: null }),
  "plan/loading": plan(STANDING, { state: { kind: "loading" } }),
  "plan/offline": plan(STANDING, { state: { kind: "offline" } }),
  "plan/failed": plan(STANDING, { state: { kind: "failed", failure: { code: "server-unreachable" } } }),
};
