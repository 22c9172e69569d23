import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import { overwriteGetLocale, type Locale } from "../../src/i18n/runtime";
import { clock, day, left, names, percent, rate, size, spokenLength } from "../../src/screens/format";

let locale: Locale = "en";
overwriteGetLocale(() => locale);
beforeEach(() => {
  locale = "en";
});

const NOW = new Date(2026, 10, 22, 14, 5).getTime();
const HOUR = 3_600_000;

test("the clock counts whole seconds that have passed; what is left is never told as less than it is", () => {
  expect([0, 999, 1000, 102_400, 180_000].map(clock)).toEqual(["0:00", "0:00", "0:01", "1:42", "3:00"]);
  expect([0, 1, 1000, 1001, 180_000].map(left)).toEqual(["0:00", "0:01", "0:01", "0:02", "3:00"]);
});

test("a percentage is never rounded up", () => {
  fc.assert(fc.property(fc.double({ min: 0, max: 99.999, noNaN: true }), (value) => percent(value) !== percent(100)));
  expect(percent(99.99)).toBe("99%");
});

test("days are told as people do", () => {
  const ago = (hours: number): string => day(NOW - hours * HOUR, NOW);
  expect(ago(1)).toBe("today");
  expect(ago(15)).toBe("yesterday");
  expect(ago(60)).toBe("Friday");
  expect(ago(24 * 40)).toMatch(/13|Oct/u);
  expect(ago(24 * 400)).toContain("2025");
  locale = "fr";
  expect(ago(15)).toBe("hier");
  expect(ago(60)).toBe("vendredi");
});

test("a moment to come is given by its date", () => {
  expect(day(NOW + 30 * HOUR, NOW)).toMatch(/23|24/u);
});

test("lengths, sizes, speeds and names are said in the language", () => {
  expect(spokenLength(102_000)).toBe("1 minute 42 seconds");
  expect(spokenLength(60_000)).toBe("1 minute");
  expect(spokenLength(400)).toBe("0 seconds");
  expect(size(3_140_000)).toBe("3.1 MB");
  expect(size(31_400_000)).toBe("31 MB");
  expect(names([{ name: "Ann" }, { name: "Joseph" }])).toBe("Ann and Joseph");
  expect(names([])).toBe("nobody");
  locale = "fr";
  expect(rate(1.5)).toBe("1,5×");
  expect(names([{ name: "Ann" }, { name: "Joseph" }])).toBe("Ann et Joseph");
});
