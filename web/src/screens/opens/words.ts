import { m } from "../../i18n/messages";
import type { Opens } from "./props";

/** From whom a country is known. */
export function countryNote({ country, country_from: from }: Opens): string {
  if (country == null) return m.opens_unsaid();
  return from === "declared" ? m.opens_declared() : m.opens_guessed();
}
