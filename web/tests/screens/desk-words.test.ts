import { afterEach, expect, test } from "vitest";
import { overwriteGetLocale } from "../../src/i18n/runtime";
import type { Examined } from "../../src/screens/desk/props";
import { thingOf } from "../../src/screens/desk/words";

afterEach(() => overwriteGetLocale(() => "en"));

const NOW = Date.UTC(2026, 10, 22, 13);
const item = (name: string, state: Examined["state"], text: string, value: number | null = null): Examined => ({
  ...{ name, state, text, value },
  cure: "mend it",
});

test.each([
  [item("address", "good", "https://post.example"), "https://post.example", ""],
  [item("address", "good", "HTTPS by the server itself"), "", ""],
  [item("certificate", "poor", "it runs out in 3 days", 3), /^encore 3 jours · Renouvelez-le/, ""],
  [item("certificate", "bad", "it has run out", -1), /^Renouvelez-le/, "it has run out"],
  [item("disk", "good", "8.1 GiB of 100.0 GiB free", 8.7e9), /^8,7\sGo libres$/, ""],
  [item("backup", "good", "5 hours ago", 18_000), /8:00$|08:00$|9:00$/, ""],
  [item("backup", "poor", "there was none yet"), /^Pas encore faite · Chaque nuit/, ""],
  [item("check", "bad", "the last check found 2 things wrong", 2), /^2 défauts trouvés · /, ""],
  [item("work", "bad", "work waits for 12 minutes", 720), /^attend depuis 12 minutes · /, ""],
  [item("storage", "good", "writes, keeps and removes"), "", ""],
  [item("mail", "bad", "the mail server does not take us: 535"), /^Regardez RESTANTE_SMTP_URL/, /535$/],
  [item("newer", "good", "in words of its own"), "", "in words of its own · mend it"],
])("what the doctor found is told in the page's language: %o", (found, note, said) => {
  overwriteGetLocale(() => "fr");
  const told = thingOf(found, NOW);
  expect(told.note).toMatch(typeof note === "string" ? new RegExp(`^${note}$`) : note);
  expect(told.said).toMatch(typeof said === "string" ? new RegExp(`^${said}$`) : said);
});
