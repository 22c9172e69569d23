/** What a person chose for this browser. Nothing secret: it is read before anybody has signed in. */

export type Theme = "system" | "light" | "dark";

export interface Chosen {
  language: string;
  theme: Theme;
  beep: boolean;
  /** Three, two, one before a recording. */
  countdown: boolean;
  /** Whether keys of one letter count. */
  letters: boolean;
}

const KEPT = "restante:choices";
const SCHEMES: Readonly<Record<Theme, string>> = { system: "", light: "light", dark: "dark" };

export class Choices {
  #chosen: Chosen = $state.raw({ language: "en", theme: "system", beep: true, countdown: true, letters: true });
  readonly #speak: (language: string) => void;

  /** @param speak changes the language of the page. */
  constructor(language: string, speak: (language: string) => void) {
    this.#speak = speak;
    this.#chosen = { ...this.#chosen, language, ...recalled() };
    this.#apply();
  }

  get chosen(): Chosen {
    return this.#chosen;
  }

  choose(changed: Partial<Chosen>): void {
    this.#chosen = { ...this.#chosen, ...changed };
    try {
      localStorage.setItem(KEPT, JSON.stringify(this.#chosen));
    } catch {
      // Storage is blocked or full: it holds until the page is left.
    }
    this.#apply();
  }

  #apply(): void {
    this.#speak(this.#chosen.language);
    document.documentElement.style.colorScheme = SCHEMES[this.#chosen.theme];
  }
}

function recalled(): Partial<Chosen> {
  try {
    return valid(JSON.parse(localStorage.getItem(KEPT) ?? "{}"));
  } catch {
    return {};
  }
}

/** Of whatever was stored, by this version or another, what can be used. */
export function valid(told: unknown): Partial<Chosen> {
  if (typeof told !== "object" || told === null) return {};
  const { language, theme, beep, countdown, letters } = told as Record<string, unknown>;
  return {
    ...(typeof language === "string" && { language }),
    ...(typeof theme === "string" && theme in SCHEMES && { theme: theme as Theme }),
    ...(typeof beep === "boolean" && { beep }),
    ...(typeof countdown === "boolean" && { countdown }),
    ...(typeof letters === "boolean" && { letters }),
  };
}
