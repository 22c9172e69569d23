import { expect, test } from "vitest";
import { folded, matching } from "../../src/screens/inbox/search";

const rows = ["Élodie: the garden", "Ann: mangoes", "Joseph: Garden party"];
const found = (sought: string): readonly string[] => matching(sought, rows, rows.map(folded));

test("case, accents and the order of words do not matter; all of them must be there", () => {
  expect(found("GARDEN")).toEqual([rows[0], rows[2]]);
  expect(found("garden elodie")).toEqual([rows[0]]);
  expect(found("elodie mangoes")).toEqual([]);
  expect(found("  ")).toEqual(rows);
});
