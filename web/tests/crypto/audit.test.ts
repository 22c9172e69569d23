import { expect, test } from "vitest";
import { AuditRewritten, followAudit, hashOfLine, type AuditHead } from "../../src/crypto/audit";

const DETAILS = "GKw-c0PwFokMUQ6T-TUmEWnZ4_VlQ2Qpgw-vCTT0-OQ";
const MESSAGE = "msg_aaaaaaaaaaaaaaaaaaaaaaaaaa";
/** As a server wrote them; the last two hashes stand in the lines after them. */
const CHAIN = [
  `{"seq":1,"at":1764000000001,"act":"deleted","message":"${MESSAGE}","by":"ann","details":"${DETAILS}","prev":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`,
  `{"seq":2,"at":1764000000002,"act":"removed","message":"${MESSAGE}","by":null,"details":"${DETAILS}","prev":"wJz5vUzd_sSOcvxjkmnZHNotnNMb_voP1skrqbrH3Sc"}`,
  `{"seq":3,"at":1764000000003,"act":"expired","message":"${MESSAGE}","by":null,"details":"${DETAILS}","prev":"U2Dw-S5VfWwXfJ-K9qWHwzaaOM7FUkloKgEDwPAnwO8"}`,
];
const headOf = (seq: number): AuditHead => ({ seq, sha256: hashOfLine(CHAIN[seq - 1] ?? "") });

test("a chain is read, and its end is what is seen", () => {
  const { lines, seen } = followAudit(CHAIN, null);
  expect(lines.map(({ act, by }) => [act, by])).toEqual([
    ["deleted", "ann"],
    ["removed", null],
    ["expired", null],
  ]);
  expect(seen).toEqual({ seq: 3, sha256: "2YFxTrL1ZfBjsWeWhEkbNnk6n4mwRFc_RsgfXN7PyQM" });
});

test("what was seen may be followed by more, and the oldest may go", () => {
  expect(followAudit(CHAIN, headOf(1)).lines).toHaveLength(3);
  expect(followAudit(CHAIN.slice(1), headOf(1)).lines).toHaveLength(2);
  expect(followAudit(CHAIN.slice(2), headOf(1)).seen).toEqual(headOf(3));
  expect(followAudit([], null).seen).toBeNull();
});

const [first = "", second = "", third = ""] = CHAIN;
const other = second.replace("removed", "expired");
const REWRITTEN: [string, string[], AuditHead | null][] = [
  ["a changed line", [first, other, third], null],
  ["a line that is missing", [first, third], null],
  ["lines in another order", [second, first, third], null],
  ["a beginning that names another", [first.replace('"AAAA', '"BAAA'), second], null],
  ["an end that was cut off", [first, second], headOf(3)],
  ["nothing any more", [], headOf(1)],
  ["another line in the place of the one that was seen", [first, other], headOf(2)],
  ["another line behind the one that was seen", [third], { seq: 2, sha256: hashOfLine(other) }],
  ["what is no line", ["{}"], null],
];
test.each(REWRITTEN)("%s is found out", (_, texts, before) => {
  expect(() => followAudit(texts, before)).toThrow(AuditRewritten);
});
