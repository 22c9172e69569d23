import { m } from "../../i18n/messages";
import { when } from "../format";
import type { LinkView } from "./props";

export const DAYS = [1, 7, 30, 90, null] as const;
export const OPENS = [1, 3, 10, null] as const;

export const daysWords = (days: number | null): string =>
  days === null ? m.link_as_long() : m.lasts_days({ count: days });
export const opensWords = (opens: number | null): string =>
  opens === null ? m.link_opens_any() : m.link_opens({ count: opens });

/** What became of a link, in a line. */
export function linkWords({ state, expiresAt, mostOpens, opens }: LinkView, now: number): string {
  const words = {
    expired: m.link_expired,
    "used-up": m.link_used_up,
    revoked: m.link_revoked,
    gone: m.link_message_gone,
  };
  const opened =
    mostOpens === null ? m.link_opened({ count: opens }) : m.link_opened_of({ count: opens, most: mostOpens });
  if (state !== "open") return `${words[state]()} ${opened}`;
  return expiresAt === null ? opened : `${opened} ${m.link_until({ at: when(expiresAt, now) })}`;
}
