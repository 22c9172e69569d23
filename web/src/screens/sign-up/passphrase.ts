import { m } from "../../i18n/messages";
import { failureSentence } from "../failures";
import type { Failure } from "../views";

/** What a passphrase of one's own has at least. */
export const LEAST = 12;

export const isLongEnough = (typed: string): boolean => [...typed].length >= LEAST;

/** What to say below the field. */
export function passphraseWrong(tooShort: boolean, failure: Failure | null): string | undefined {
  if (tooShort) return `${m.fail_short()} ${m.fail_short_text()}`;
  return failure?.code.startsWith("passphrase-") ? failureSentence(failure) : undefined;
}
