import { expect, test } from "vitest";
import { readPairingLink } from "../../src/state/pairing-link";

const LOOKUP = "abcdefghijklmnop";
const RECIPIENT = "age13aqvttdk3ujkyjh9kg2w5an6dmy5mq5a84a4uxk3hfhnugfc9p0sy5p2wh";

test("an address is read with and without its mark", () => {
  const link = { lookup: LOOKUP, recipient: RECIPIENT };
  expect(readPairingLink(`#${LOOKUP}.${RECIPIENT}`)).toEqual(link);
  expect(readPairingLink(`${LOOKUP}.${RECIPIENT}`)).toEqual(link);
});

test.each([
  "",
  "#",
  LOOKUP,
  `${LOOKUP}.`,
  `.${RECIPIENT}`,
  `${LOOKUP}.${RECIPIENT}x`,
  `${LOOKUP}.${RECIPIENT.toUpperCase()}`,
  `${LOOKUP}.age1pq${RECIPIENT.slice(6)}-`,
  `../../etc.${RECIPIENT}`,
  `${LOOKUP.slice(1)}0.${RECIPIENT}`,
  `${LOOKUP} .${RECIPIENT}`,
])("%j is none", (text) => {
  expect(readPairingLink(text)).toBeNull();
});
