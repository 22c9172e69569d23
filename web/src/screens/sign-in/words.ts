import { failureSentence } from "../failures";
import type { Failure } from "../views";

/** What to say below the passphrase or code; nothing when the failure is about something else. */
export function secretWrong(failure: Failure | null): string | undefined {
  return failure && /^sign-in-refused|recovery-code|^passphrase/u.test(failure.code)
    ? failureSentence(failure)
    : undefined;
}
