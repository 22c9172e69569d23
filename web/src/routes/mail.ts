/** What screens show of the messages that state keeps. */

import type { DraftItem, DraftPhase } from "../screens/drafts/props";
import type { InboxItem } from "../screens/inbox/props";
import type { SentItem } from "../screens/sent/props";
import type { DeliveryView, DraftView, OutgoingView } from "../screens/views";
import type { DraftsState, FoundDraft } from "../state/drafts.svelte";
import type { Letter, SentLetter } from "../state/letters";
import { sentAt } from "../state/letters";
import type { People } from "../state/people.svelte";
import type { Posters } from "../state/posters.svelte";
import type { Sending } from "../state/sending.svelte";

type Views = Pick<People, "view">;

/** By id: what is on this device, and before what something may be missing. */
interface Noted {
  readonly here: ReadonlySet<string>;
  readonly gaps: ReadonlySet<string>;
}

export function inboxItem(letter: Letter, people: Views, posters: Posters, { here, gaps }: Noted): InboxItem {
  const { id, content, code, from, playedAt } = letter;
  return {
    id,
    from: from === null ? null : people.view(from),
    caption: content?.caption ?? "",
    picture: posters.url(id),
    durationMs: content?.video?.ms ?? 0,
    sentAt: sentAt(letter),
    playedAt,
    onDevice: here.has(id),
    failure: code === null ? null : { code },
    gap: gaps.has(id),
  };
}

export function deliveryViews(letter: Pick<SentLetter, "deliveries">, people: Views): DeliveryView[] {
  return letter.deliveries.map(({ acct, deliveredAt, playedAt }) => ({
    person: people.view(acct),
    deliveredAt,
    playedAt,
  }));
}

export function sentItem(letter: SentLetter, people: Views, posters: Posters): SentItem {
  const { id, content, bytes, receivedAt } = letter;
  return {
    id,
    picture: posters.url(id),
    durationMs: content?.video?.ms ?? 0,
    bytes,
    caption: content?.caption ?? "",
    keptAt: null,
    storedAt: receivedAt,
    deliveries: deliveryViews(letter, people),
  };
}

export function outgoingView(sending: Sending, people: Views, drafts: DraftsState): OutgoingView {
  const { id, durationMs, to, percent, held } = sending;
  return {
    id,
    picture: drafts.posters.url(id),
    durationMs,
    recipients: to.map((acct) => people.view(acct)),
    percent,
    held,
  };
}

/** A take with what is known of its sending. */
export function draftItem(draft: FoundDraft, going: Sending | null, people: Views, posters: Posters): DraftItem {
  const { id, ms, createdMs } = draft;
  const recipients = (going?.to ?? draft.to).map((acct) => people.view(acct));
  return {
    id,
    picture: posters.url(id),
    durationMs: ms,
    recordedAt: createdMs,
    phase: draftPhase(draft, going),
    recipients,
  };
}

function draftPhase({ kind, isStored }: FoundDraft, going: Sending | null): DraftPhase {
  if (going?.kind === "failed" && going.failure) return { kind: "refused", failure: going.failure };
  if (going?.kind === "going") return { kind: "going", percent: going.percent, held: going.held };
  if (kind === "sending") return { kind: "going", percent: isStored ? 100 : 0, held: null };
  return { kind };
}

export function draftView({ id, kind, ms, createdMs }: FoundDraft, posters: Posters): DraftView {
  const isHere = kind !== "evicted";
  return { id, picture: posters.url(id), durationMs: ms ?? 0, recordedAt: createdMs, isHere };
}
