import { m } from "../i18n/messages";

/** How somebody without an account is shown: by the name that they wrote, which nobody can prove. */
export function callerName(written: string): string {
  return written === "" ? m.somebody() : m.caller_named({ name: written });
}
