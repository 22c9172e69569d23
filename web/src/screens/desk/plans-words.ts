import { m } from "../../i18n/messages";
import { day } from "../format";
import { offerWords, planName, priceWords } from "../plan/words";
import type { DeskGrant, DeskPlan } from "./plans-props";

/** `$4.99 a month · As many videos as you like` */
export const declaredNote = ({ plan }: DeskPlan): string => `${priceWords(plan)} · ${offerWords(plan)}`;

/** How many have it, and how; empty where nobody can count: everybody has the plan to begin with. */
export function countNote({ paid, ending, late, granted }: DeskPlan): string {
  const parts = [
    paid > 0 && m.desk_plans_paid({ count: paid }),
    ending > 0 && m.desk_plans_ending({ count: ending }),
    late > 0 && m.desk_plans_late({ count: late }),
    granted > 0 && m.desk_plans_granted({ count: granted }),
  ];
  return parts.filter(Boolean).join(" · ");
}

/** What a grant gives, in the words of the plan where it is still declared. */
export function grantWord({ plan, videos }: DeskGrant, plans: readonly DeskPlan[]): string {
  if (plan === "") return m.desk_grant_videos({ count: videos });
  const found = plans.find((each) => each.plan.id === plan);
  return found ? planName(found.plan) : plan;
}

export const hasEnded = ({ ends_at: ends }: DeskGrant, now: number): boolean => ends !== null && ends <= now;

export function grantNote(grant: DeskGrant, now: number): string {
  const { account, ends_at: ends, source, reference, reason } = grant;
  const until = ends === null ? m.desk_grant_for_good() : m.desk_grant_until({ day: day(ends, now) });
  const ended = ends === null ? "" : m.desk_grant_ended({ day: day(ends, now) });
  const how = source === "manual" ? m.desk_grant_paid({ reference: reference ?? "" }) : "";
  return [account, hasEnded(grant, now) ? ended : until, how, reason].filter(Boolean).join(" · ");
}

/** A whole number in its range; null: what was typed is none. */
export function wholeNumber(text: string, least: number, most: number): number | null {
  const value = /^\d{1,7}$/.test(text.trim()) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : null;
}
