import { m } from "../../i18n/messages";
import type { Told, WayIn } from "../../state/ways-in.svelte";

const NAMES = {
  passkey: () => m.ways_passkey(),
  passphrase: () => m.ways_passphrase(),
  recovery: () => m.ways_code(),
};

/** A passkey has a name of its owner's; of the others there is one each. */
export function wayName({ type, label }: WayIn): string {
  return type === "passkey" && label ? label : NAMES[type]();
}

/** What was done. */
export function toldWords(told: Told): { title: string; text?: string } {
  switch (told) {
    case "added":
      return { title: m.ways_added(), text: m.ways_added_text() };
    case "signs-in-only":
      return { title: m.signup_plain(), text: m.ways_plain() };
    case "renamed":
      return { title: m.ways_renamed() };
    case "removed":
      return { title: m.ways_removed() };
    case "words":
      return { title: m.ways_words_changed(), text: m.ways_words_changed_text() };
    case "code":
      return { title: m.ways_code_changed(), text: m.ways_code_changed_text() };
  }
}
