import { expect, test } from "vitest";
import { matching } from "../../src/screens/inbox/search";

const rows = ["Élodie: the garden", "Ann: mangoes", "Joseph: Garden party"];
const found = (sought: string): readonly string[] => matching(sought, rows, (row) => row);

test("case, accents and the order of words do not matter; all of them must be there", () => {
  expect(found("GARDEN")).toEqual([rows[0], rows[2]]);
  expect(found("garden elodie")).toEqual([rows[0]]);
  expect(found("elodie mangoes")).toEqual([]);
  expect(found("  ")).toEqual(rows);
});

test("ten thousand rows are searched well within 200 ms", () => {
  const many = Array.from(
    { length: 10_000 },
    (_, index) => `Person ${index % 40}: ${"a caption as people write it ".repeat(4)}${index}`,
  );
  const begun = performance.now();
  const hits = matching("person caption 9999", many, (row) => row);
  const tookMs = performance.now() - begun;
  expect(hits).toEqual([many[9999]]);
  expect(tookMs).toBeLessThan(200);
});
