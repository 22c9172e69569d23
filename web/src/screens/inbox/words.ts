import { m } from "../../i18n/messages";
import { failureWords } from "../failures";
import { callerName } from "../caller";
import { capital, counted, day, moment, when } from "../format";
import { watchPath, withPath } from "../places";
import type { InboxItem, InboxProps } from "./props";

export function nameOf(item: InboxItem): string {
  if (item.from) return item.from.name;
  return item.caller === null ? m.somebody_new() : callerName(item.caller);
}

export function titleWords(props: Pick<InboxProps, "state" | "items">): string {
  const waiting = props.items.filter((item) => item.playedAt === null).length;
  if (props.state.kind === "loading") return m.inbox_opening();
  if (props.state.kind === "failed") return m.inbox_yours();
  return props.items.length > 0 && waiting === 0 ? m.inbox_all_played() : m.inbox_waiting({ count: waiting });
}

export function subtitleWords(props: Pick<InboxProps, "state" | "items" | "now">): string {
  const { state, items, now } = props;
  if (state.kind === "loading" && items.length > 0) return m.inbox_filling({ count: counted(items.length) });
  if (state.kind === "loading") return m.inbox_unlocking();
  if (state.kind === "offline" || state.kind === "failed")
    return state.lookedAt === null ? m.inbox_never() : m.inbox_looked({ at: when(state.lookedAt, now) });
  const oldest = items.findLast((item) => item.playedAt === null);
  return oldest ? m.inbox_oldest({ at: when(oldest.sentAt, now) }) : "";
}

export function noteWords(item: InboxItem, now: number, offline: boolean): string {
  const at = moment(item.sentAt, now);
  const place = offline ? `${item.onDevice ? m.inbox_here() : m.inbox_needs_network()} ` : "";
  const unsigned = item.caller === null ? "" : ` ${m.caller_unsigned()}`;
  if (item.playedAt !== null) return place + capital(m.inbox_played({ day: day(item.playedAt, now) }));
  return place + at + (unsigned && `.${unsigned}`);
}

/** Who passed it on; what the sender's own count says. */
export function gapWords(item: InboxItem): string {
  const passed = item.passedBy === null ? "" : m.inbox_passed({ name: item.passedBy.name });
  const gap = item.gap ? m.inbox_gap({ name: item.passedBy?.name ?? nameOf(item) }) : "";
  return [passed, gap].filter(Boolean).join(" ");
}

/** Where it is watched, or read. */
export function pathOf(item: InboxItem): string {
  return item.kind === "video" || item.from === null ? watchPath(item.id) : withPath(item.from.account);
}

/** The line below the name: what was written, or why it does not open. */
export function lineWords(item: InboxItem): string {
  return item.failure ? failureWords(item.failure, nameOf(item)).title : item.caption;
}
