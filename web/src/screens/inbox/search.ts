/** Finds what somebody looks for, in thousands of rows, while they type. */

const PLAIN = /^[ -~]*$/u;

/** As it is compared: case and accents do not matter. */
export function folded(text: string): string {
  if (PLAIN.test(text)) return text.toLowerCase(); // most are, and have nothing to take apart
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

/** The items in whose words, folded and in the same order, each sought word stands. */
export function matching<T>(sought: string, items: readonly T[], words: readonly string[]): readonly T[] {
  const wanted = folded(sought).split(/\s+/u).filter(Boolean);
  return items.filter((_, at) => wanted.every((word) => words[at]?.includes(word)));
}
