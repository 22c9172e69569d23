import { m } from "../../i18n/messages";
import { RECIPIENTS } from "../../protocol/limits";
import type { PersonView } from "../views";
import type { ReviewProps } from "./props";

/** Who was chosen, in that order; somebody who is no contact any more goes by the address. */
export function chosenPeople({ recipients, people }: Pick<ReviewProps, "recipients" | "people">): PersonView[] {
  return recipients.map(
    (account) => people.find((person) => person.account === account) ?? { account, name: account, trust: "none" },
  );
}

/** How many bytes the caption still may have; below zero it is too long. */
export function captionRoom({ caption, captionBytes }: Pick<ReviewProps, "caption" | "captionBytes">): number {
  return captionBytes - new TextEncoder().encode(caption).length;
}

/** Why it cannot be sent yet; `uncut` while its ends are drawn in and nothing is cut: what goes is what was meant. */
export function notYet(props: ReviewProps, uncut: boolean): string | undefined {
  if (props.editing.trimming !== null) return m.review_cutting();
  if (uncut) return m.review_uncut();
  if (props.recipients.length === 0) return m.review_choose();
  if (props.recipients.length > RECIPIENTS) return m.fail_too_many();
  const room = captionRoom(props);
  return room < 0 ? m.review_caption_long({ count: -room }) : undefined;
}
