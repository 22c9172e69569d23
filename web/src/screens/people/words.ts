import { m } from "../../i18n/messages";
import type { PersonView } from "../views";

/** What is known of somebody's key, in a word or two. */
export function trustWord(trust: PersonView["trust"]): string {
  const words = {
    verified: m.trust_verified,
    "new-key": m.trust_new_key,
    succeeded: m.trust_succeeded,
    none: m.trust_none,
  };
  return words[trust]();
}
