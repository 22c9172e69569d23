import { m } from "../../i18n/messages";
import { failureWords } from "../failures";
import { capital, names, percent, when } from "../format";
import type { DraftItem } from "./props";

/** What it is, in one line. */
export function draftTitle({ phase, recipients }: DraftItem): string {
  if (phase.kind === "evicted") return m.drafts_evicted();
  return recipients.length > 0 ? m.to_names({ names: names(recipients) }) : m.drafts_nobody();
}

/** When it was recorded, and how far it came. */
export function draftNote(item: DraftItem, now: number): string {
  return `${capital(when(item.recordedAt, now))} · ${state(item)}`;
}

function state({ phase }: DraftItem): string {
  switch (phase.kind) {
    case "kept":
      return m.drafts_kept();
    case "interrupted":
      return m.drafts_interrupted();
    case "elsewhere":
      return m.drafts_elsewhere();
    case "evicted":
      return m.drafts_evicted_text();
    case "refused":
      return failureWords(phase.failure).title;
    case "going":
      return going(phase.percent, phase.held);
  }
}

function going(at: number, held: "offline" | "server-full" | "signed-out" | "plan" | null): string {
  const words = { percent: percent(at) };
  if (held === "offline") return m.outgoing_offline(words);
  if (held === "server-full") return m.outgoing_full(words);
  if (held === "plan") return m.fail_plan();
  return held === "signed-out" ? m.outgoing_signed_out(words) : m.outgoing_uploading(words);
}
