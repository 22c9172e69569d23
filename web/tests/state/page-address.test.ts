import { describe, expect, test } from "vitest";
import { dayName, hoursOf, openingOf, USUAL } from "../../src/screens/own-page/hours";
import { b64 } from "../../src/protocol/encoding";
import { randomBytes } from "../../src/protocol/ids";
import { pageAddress, readPageFragment } from "../../src/state/page-address";

test("an address is read back whole, as none, or as cut", () => {
  const said = { fp: b64(randomBytes(16)), secret: b64(randomBytes(16)) };
  const address = new URL(pageAddress("https://post.example", "ann", said));
  expect(address.pathname).toBe("/@ann");
  const read = readPageFragment(address.hash);
  expect(read !== null && read !== "cut" && { fp: read.fp, secret: b64(read.secret) }).toEqual(said);
  expect(["", "#"].map(readPageFragment)).toEqual([null, null]);
  const cuts = [address.hash.slice(0, -1), `${address.hash}A`, address.hash.replace(".", ""), "#x"];
  expect(cuts.map(readPageFragment)).toEqual(cuts.map(() => "cut"));
});

describe("hours", () => {
  test("are days with one span, both ways", () => {
    const hours = hoursOf(USUAL);
    expect(hours).toEqual([0, 1, 2, 3, 4].map((day) => ({ day, start: 540, end: 1080 })));
    expect(openingOf({ hours: hours ?? [] })).toEqual(USUAL);
    expect(hoursOf({ days: [6], from: "20:00", until: "00:00" })).toEqual([{ day: 6, start: 1200, end: 1440 }]);
  });

  test("of a command line may be what this page does not show", () => {
    const split = [
      { day: 0, start: 540, end: 720 },
      { day: 0, start: 780, end: 1080 },
    ];
    expect(openingOf({ hours: split })).toBeNull();
    expect(openingOf({ hours: [] })).toBeNull();
  });

  test("that are none are not kept", () => {
    expect(hoursOf({ ...USUAL, days: [] })).toBeNull();
    expect(hoursOf({ ...USUAL, from: "18:00", until: "09:00" })).toBeNull();
    expect(hoursOf({ ...USUAL, from: "" })).toBeNull();
    expect(hoursOf({ ...USUAL, until: "" })).toBeNull();
  });

  test("begin on a Monday", () => {
    expect([dayName(0, "en"), dayName(6, "fr")]).toEqual(["Monday", "dimanche"]);
  });
});
