import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import english from "../../messages/en.json";
import french from "../../messages/fr.json";
import { ICONS } from "../../src/ui/icons";

const SOURCES = join(import.meta.dirname, "../../src");
const source = readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.(?:svelte|ts)$/u.test(name) && !name.startsWith("i18n"))
  .map((name) => readFileSync(join(SOURCES, name), "utf8"))
  .join("\n");
const keys = Object.keys(english).filter((key) => key !== "$schema");
const words = (messages: object): [string, string][] =>
  Object.entries(messages)
    .filter(([key]) => key !== "$schema")
    .map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]);

test("both languages have the same messages with the same holes", () => {
  const holes = (messages: object): unknown =>
    words(messages).map(([key, text]) => [key, [...new Set(text.match(/\{\w+\}/gu))].sort()]);
  expect(holes(french)).toEqual(holes(english));
});

test("every message is said somewhere", () => {
  const said = new Set([...source.matchAll(/\bm\.(\w+)/gu)].map((found) => found[1]));
  expect(keys.filter((key) => !said.has(key))).toEqual([]);
});

test("no message blames, frightens or shouts", () => {
  const never =
    /\b(?:errors?|failed|failure|oops|invalid|users?|content|secure|military|erreur|échec|utilisateur)\b|!/iu;
  const wrong = [...words(english), ...words(french)].filter(([, text]) => never.test(text));
  expect(wrong).toEqual([]);
});

test("french marks stand behind a space that does not break", () => {
  const prose = words(french).map(([key, text]) => [key, text.replace(/"[^"]*":|[{}[\],]/gu, "")]);
  expect(prose.filter(([, text]) => / [:;?!»]|« /u.test(text ?? ""))).toEqual([]);
});

test("every drawing is used, and every drawing used exists", () => {
  const drawn = [...source.matchAll(/<symbol id="i-([\w-]+)"/gu)].map((found) => found[1]);
  expect(drawn).toEqual([...ICONS]);
  const rest = source.replace(/<symbol.*?<\/symbol\s*>/gsu, "").replace(/export const ICONS = \[.*?\]/su, "");
  expect(ICONS.filter((name) => !rest.includes(`"${name}"`))).toEqual([]);
});
