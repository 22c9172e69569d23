import { beforeEach, expect, test } from "vitest";
import { overwriteGetLocale, type Locale } from "../../src/i18n/runtime";
import { failureSentence, failureWords } from "../../src/screens/failures";
import { REFUSALS } from "../../src/protocol/errors";

let locale: Locale = "en";
overwriteGetLocale(() => locale);
beforeEach(() => {
  locale = "en";
});

/** What a person can run into beside the refusals of the protocol: the server's and the other rooms' codes. */
const OTHERS = `offline timeout busy internal storage-full rate-limited too-many-uploads upload-gone upload-claimed
  not-signed-in sign-in-refused sign-up-closed name-taken invalid-name no-such-account no-such-recipient stale-record
  stale-version message-gone not-found answer-malformed upload-offset-impossible interrupted nothing-to-keep no-picture
  no-encoder not-a-video device-full storage-unavailable not-on-this-device sealed-elsewhere damaged cut-off
  push-unavailable push-refused endpoint-refused mail-unavailable wrong-code bad-address quiet-empty audit-rewritten
  account-deleted`.split(/\s+/u);

test.each([...REFUSALS, ...OTHERS])("%s has words of its own in both languages", (code) => {
  for (locale of ["en", "fr"] as const) {
    const words = failureWords({ code }, "Ann");
    expect(words.title).not.toBe(failureWords({ code: "made-up" }).title);
    expect(words.text).not.toBe("");
    expect(`${words.title} ${words.text}`).not.toContain(code);
  }
});

test("a code nobody has written words for is told, with what is safe first", () => {
  expect(failureSentence({ code: "made-up" })).toContain("made-up");
  expect(failureSentence({ code: "made-up" })).toContain("Nothing is lost");
});

test("waiting is told in minutes, never as none", () => {
  expect(failureWords({ code: "rate-limited", retryAfterS: 3 }).text).toContain("1 minute.");
  expect(failureWords({ code: "rate-limited", retryAfterS: 61 }).text).toContain("2 minutes");
});

test("a broken message names its sender", () => {
  expect(failureWords({ code: "details-swapped" }, "Ann").text).toContain("Ann");
  expect(failureWords({ code: "details-swapped" }).text).toContain("the sender");
});
