/** What is said of a country or platform that is not open yet: what, why and when. */

import { m } from "../../i18n/messages";
import { getLocale } from "../../i18n/runtime";
import type { Opens } from "../../state/entry.svelte";

const PLATFORMS: Readonly<Record<Opens["platform"], () => string>> = {
  macos: () => "macOS",
  windows: () => "Windows",
  linux: () => "Linux",
  ios: () => "iOS",
  android: () => "Android",
  "windows-phone": () => "Windows Phone",
  other: () => m.opens_this_device(),
};

/** `GB` as people call it. */
export function countryName(code: string): string {
  return new Intl.DisplayNames([getLocale()], { type: "region", fallback: "code" }).of(code) ?? code;
}

/** Every country that this browser has a name for, in the order of the language. */
export function countries(): { value: string; word: string }[] {
  const names = new Intl.DisplayNames([getLocale()], { type: "region", fallback: "none" });
  const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
  const found = letters
    .flatMap((first) => letters.map((second) => first + second))
    .filter((code) => !NO_COUNTRIES.has(code))
    .map((value) => ({ value, word: names.of(value) ?? "" }))
    .filter(({ word }) => word !== "");
  return found.sort((one, other) => one.word.localeCompare(other.word, getLocale()));
}

/** Codes with names that are no countries: unions, test codes, and codes that are used no more. */
const NO_COUNTRIES: ReadonlySet<string> = new Set(
  "AC AN BU CP CQ CS DD DG DY EA EU EZ FX HV IC NH NT QO QU RH SU TA TP UK UN VD XA XB XK YD YU ZR ZZ".split(" "),
);

export function opensWords(opens: Opens): { title: string; text: string } {
  const isCountry = opens.blocked_by === "country";
  const where = opens.country == null ? m.opens_your_country() : countryName(opens.country);
  const what = isCountry ? where : PLATFORMS[opens.platform]();
  return { title: m.opens_not_yet({ what }), text: [when(opens), ownWords(opens)].filter(Boolean).join(" ") };
}

function when({ phase, opens_at }: Opens): string {
  if (opens_at != null) {
    const day = new Intl.DateTimeFormat(getLocale(), { dateStyle: "long", timeStyle: "short" }).format(opens_at);
    return m.opens_on({ day });
  }
  if (phase === "beta") return m.opens_beta();
  return phase === "unknown" ? m.opens_unknown() : m.opens_later();
}

/** What the operator wrote, in the person's language or else in any. */
function ownWords({ text = {} }: Opens): string {
  return text[getLocale()] ?? text["en"] ?? Object.values(text)[0] ?? "";
}
