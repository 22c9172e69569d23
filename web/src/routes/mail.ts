/** What screens show of the messages that state keeps. */

import type { DraftItem, DraftPhase } from "../screens/drafts/props";
import type { LineView } from "../screens/conversation/props";
import type { InboxItem } from "../screens/inbox/props";
import type { SentItem } from "../screens/sent/props";
import { m } from "../i18n/messages";
import { briefWords, signWords } from "../screens/conversation/words";
import { watchPath, withPath } from "../screens/places";
import type { DeliveryView, DraftView, GroupView, OutgoingView, PersonView } from "../screens/views";
import type { RelatedView } from "../screens/watch/props";
import { answersTo, type Line } from "../state/conversation";
import type { DraftsState, FoundDraft } from "../state/drafts.svelte";
import type { Failure } from "../state/failure";
import type { Letter, SentLetter } from "../state/letters";
import { sentAt } from "../state/letters";
import type { People } from "../state/people.svelte";
import type { Posters } from "../state/posters.svelte";
import type { NamedGroup } from "../crypto/service";
import type { Shelf } from "../state/shelf.svelte";
import type { Sending } from "../state/sending.svelte";

type Views = Pick<People, "view" | "standing">;

/** Where letters lie, and what is noted of them by id; asked anew whenever an item is. */
interface Places {
  readonly people: Views;
  /** `gaps`: before what something may be missing. */
  readonly inbox: Pictures<Letter> & { readonly gaps: ReadonlySet<string> };
  /** `here`: what is on this device. */
  readonly keeping: { readonly here: ReadonlySet<string> };
  readonly shelf: Pick<Shelf, "isKept">;
}

/** A picture is asked for when it is looked at: a list of thousands has them only where it is shown. */
interface Pictures<L> {
  picture(letter: L): string | null;
}

/** One item for each letter, so that a list of thousands is not laid out anew for one that changed. */
export class LetterItems {
  readonly #made = new WeakMap<Letter, InboxItem>();
  readonly #places: Places;

  constructor(places: Places) {
    this.#places = places;
  }

  of(letter: Letter): InboxItem {
    const item = this.#made.get(letter) ?? new LetterItem(letter, this.#places);
    this.#made.set(letter, item);
    return item;
  }
}

/** Works out what is asked of it: of thousands in a list, only some are shown. */
class LetterItem implements InboxItem {
  constructor(
    readonly letter: Letter,
    readonly places: Places,
  ) {}
  get id() {
    return this.letter.id;
  }
  get kind() {
    return this.letter.content?.kind ?? "video";
  }
  get from() {
    return writersOf(this.letter, this.places.people).from;
  }
  get passedBy() {
    return writersOf(this.letter, this.places.people).passedBy;
  }
  get caller() {
    return this.letter.content?.caller ?? null;
  }
  get caption() {
    return this.letter.content?.caption ?? "";
  }
  get picture() {
    return this.places.inbox.picture(this.letter);
  }
  get durationMs() {
    return this.letter.content?.video?.ms ?? 0;
  }
  get sentAt() {
    return sentAt(this.letter);
  }
  get playedAt() {
    return this.letter.playedAt;
  }
  get onDevice() {
    return this.places.keeping.here.has(this.id);
  }
  get failure() {
    return this.letter.code === null ? null : { code: this.letter.code };
  }
  get request() {
    return this.letter.from !== null && this.places.people.standing(this.letter.from) === "request";
  }
  get gap() {
    return this.places.inbox.gaps.has(this.id);
  }
  get kept() {
    return this.places.shelf.isKept(this.id);
  }
}

/** Whose it is, and who passed it on; whose it was, only where their key vouches for that. */
export function writersOf(
  { from, content }: Pick<Letter, "from" | "content">,
  people: Pick<People, "view">,
): Pick<InboxItem, "from" | "passedBy"> {
  const signed = from === null ? null : people.view(from);
  const original = content?.original;
  if (original === undefined) return { from: signed, passedBy: null };
  return { from: original === "" ? null : people.view(original), passedBy: signed };
}

export function groupView({ id, name, members }: NamedGroup, people: Pick<People, "view">): GroupView {
  return { id, name, members: members.map((acct) => people.view(acct)) };
}

export function deliveryViews(letter: Pick<SentLetter, "deliveries">, people: Views): DeliveryView[] {
  return letter.deliveries.map(({ acct, ...delivery }) => ({ person: recipientView(acct, people), ...delivery }));
}

/** What went by link has no name: the sender's own copy knows a fingerprint of it. */
function recipientView(acct: string, people: Views): PersonView {
  return acct.startsWith(BY_LINK) ? { account: acct, name: m.by_link(), trust: "none" } : people.view(acct);
}
const BY_LINK = "link:";

export function sentItem(letter: SentLetter, people: Views, pictures: Pictures<SentLetter>): SentItem {
  const { id, content, bytes, receivedAt } = letter;
  return {
    id,
    kind: content?.kind ?? "video",
    get picture() {
      return pictures.picture(letter);
    },
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

interface Said {
  readonly inbox: Pictures<Letter> & { letter(id: string): Letter | null };
  readonly sent: Pictures<SentLetter> & { letter(id: string): SentLetter | null };
  readonly failures: ReadonlyMap<string, Failure>;
}

/** A conversation's lines, each with what it answers. */
export function lineViews(lines: readonly Line[], said: Said): LineView[] {
  const views = new Map(lines.map((line) => [line.id, lineView(line, said)]));
  return lines.map((line) => {
    const view = views.get(line.id) ?? lineView(line, said);
    const words = line.answers === null ? null : (views.get(line.answers) ?? null);
    return line.answers === null ? view : { ...view, answers: { id: line.answers, words } };
  });
}

function lineView(line: Line, { inbox, sent, failures }: Said): LineView {
  const { atMs: at, code, answers: _, ...rest } = line;
  const failure = failures.get(line.id) ?? (code === null ? null : { code });
  return { ...rest, at, failure, answers: null, picture: line.isMine ? pictureIn(sent) : pictureIn(inbox) };

  function pictureIn<L>(box: Pictures<L> & { letter(id: string): L | null }): string | null {
    const letter = line.kind === "video" ? box.letter(line.id) : null;
    return letter === null ? null : box.picture(letter);
  }
}

/** What a message answers, then what was thought of it and what answers it. */
export function threadViews(id: string, lines: readonly Line[], person: PersonView): RelatedView[] {
  const about = lines.find((line) => line.id === id);
  const who = (isMine: boolean): string => (isMine ? m.talk_you() : person.name);
  const talk = withPath(person.account);
  const related = (line: Line): RelatedView => {
    const path = line.kind === "video" ? watchPath(line.id) : talk;
    return { id: line.id, words: briefWords(lineView(line, NO_PICTURES)), who: who(line.isMine), path };
  };
  const signs = (about?.reactions ?? []).map(({ isMine, text }) => {
    return { id: isMine ? "mine" : "theirs", words: signWords(text), who: who(isMine), path: talk };
  });
  const answered = lines.filter((line) => line.id === about?.answers);
  return [...answered.map(related), ...signs, ...answersTo(id, lines).map(related)];
}

const NO_PICTURES: Said = {
  inbox: { picture: () => null, letter: () => null },
  sent: { picture: () => null, letter: () => null },
  failures: new Map(),
};
