import { m } from "../../i18n/messages";
import type { TermsView } from "./props";

type Lasting = TermsView["lasts"];

export const LASTINGS: readonly Lasting[] = [null, "until-played", 1, 7, 30, 90];

export function lastingWords(lasts: Lasting): string {
  if (lasts === null) return m.lasts_always();
  return lasts === "until-played" ? m.lasts_played() : m.lasts_days({ count: lasts });
}

/** What a choice in the list stands for. */
export function lastingOf(value: string): Lasting {
  return LASTINGS.find((lasts) => String(lasts) === value) ?? null;
}
