import { baseLocale, getLocale, isLocale, overwriteGetLocale, type Locale } from "../i18n/runtime";

/** The language of the page. Every message follows it at once, so that changing it never reloads a page with a take in it. */
class Language {
  #locale: Locale = $state(baseLocale);

  constructor(first: Locale) {
    this.#locale = first;
    overwriteGetLocale(() => this.#locale);
  }

  get locale(): Locale {
    return this.#locale;
  }

  /** @param chosen a tag such as `fr`; anything we do not have leaves the language as it is. */
  choose(chosen: string): void {
    if (isLocale(chosen)) this.#locale = chosen;
    document.documentElement.lang = this.#locale;
  }
}

export const language = new Language(getLocale());
export type { Locale };
