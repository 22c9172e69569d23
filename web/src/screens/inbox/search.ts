/** Finds what somebody looks for, in thousands of rows, while they type. */

/** As it is compared: case and accents do not matter. */
function folded(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

/** The items in whose words each sought word stands. */
export function matching<T>(sought: string, items: readonly T[], words: (item: T) => string): readonly T[] {
  const wanted = folded(sought).split(/\s+/u).filter(Boolean);
  if (wanted.length === 0) return items;
  return items.filter((item) => {
    const text = folded(words(item));
    return wanted.every((word) => text.includes(word));
  });
}
