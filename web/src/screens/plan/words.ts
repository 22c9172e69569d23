import { m } from "../../i18n/messages";
import { getLocale } from "../../i18n/runtime";
import { day, money, size } from "../format";
import type { NoticeWords } from "../record/words";
import type { Payment, Plan, Standing } from "./props";

/** In the language of the page, or in one there is. */
function spoken(words: Readonly<Record<string, string>>): string {
  return words[getLocale()] ?? words["en"] ?? Object.values(words)[0] ?? "";
}

export const planName = (plan: Plan): string => spoken(plan.name) || plan.id;
export const transferWords = (payment: Payment): string => spoken(payment.words);

/** `$4.99 a month, plus tax` */
export function priceWords({ price, currency, every, tax }: Plan): string {
  if (every === null) return m.plan_free();
  const amount = money(price, currency);
  const words = every === "year" ? m.plan_a_year({ amount }) : m.plan_a_month({ amount });
  if (tax === "none") return words;
  return tax === "added" ? m.plan_tax_added({ price: words }) : m.plan_tax_included({ price: words });
}

/** What a plan gives. */
export function offerWords(plan: Plan): string {
  const { messages, per, kept_bytes: kept, retention_days: days } = plan;
  const parts: string[] = [];
  if (messages === null) parts.push(m.plan_unlimited());
  else if (per === "once") parts.push(m.plan_once({ count: messages }));
  else parts.push(per === "year" ? m.plan_yearly({ count: messages }) : m.plan_monthly({ count: messages }));
  if (kept !== null) parts.push(m.plan_keeps({ size: size(kept) }));
  if (days !== null) parts.push(m.plan_keeps_for({ count: days }));
  return parts.join(" · ");
}

export function usedWords(standing: Standing, now: number): string {
  const { used, messages, anew_at: anew } = standing;
  if (messages === null) return m.plan_unlimited();
  const words = m.plan_used({ used, count: messages });
  return anew === null ? words : `${words} · ${m.plan_anew({ day: day(anew, now) })}`;
}

/** That a payment failed, and until when the plan goes on; null: none did. */
export function lateWords(standing: Standing, now: number): (NoticeWords & { live: "status" }) | null {
  return standing.state === "late" ? aheadWords(standing, now) : null;
}

/** What lies ahead of the plan; null: nothing to say. */
export function aheadWords(standing: Standing, now: number): (NoticeWords & { live: "status" }) | null {
  const { plan, state, until_at: until } = standing;
  if (!plan || until === null) return null;
  const words = { name: planName(plan), day: day(until, now) };
  if (state === "late") return { kind: "care", live: "status", title: m.plan_late(), text: m.plan_late_text(words) };
  if (state === "paid") return { kind: "plain", live: "status", icon: "clock", title: m.plan_renews(words) };
  return { kind: "plain", live: "status", icon: "clock", title: m.plan_ends(words) };
}
