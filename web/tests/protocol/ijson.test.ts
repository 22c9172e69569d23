import fc from "fast-check";
import { expect, test } from "vitest";
import { base32, b64, isB64, unb64, utf8 } from "../../src/protocol/encoding";
import { isId, newId } from "../../src/protocol/ids";
import { BadJson, Fraction, parse, write } from "../../src/protocol/ijson";
import { isAcct, isName } from "../../src/protocol/names";
import { integer, struct, text } from "../../src/protocol/shape";

const plain = (value: unknown): unknown =>
  value instanceof Fraction
    ? value.value
    : Array.isArray(value)
      ? value.map(plain)
      : typeof value === "object" && value !== null
        ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
        : value;

test("what is written is read back", () => {
  const json = fc.jsonValue({ maxDepth: 5, stringUnit: "grapheme" });
  fc.assert(
    fc.property(json, (value) => {
      fc.pre(!/\\u0000|__proto__/.test(JSON.stringify(value)));
      let parsed: unknown;
      try {
        parsed = plain(parse(write(value)));
      } catch (error) {
        expect(error).toBeInstanceOf(BadJson); // an integer beyond 2^53 - 1
        expect(JSON.stringify(value)).toMatch(/\d{16}/);
        return;
      }
      expect(parsed).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("no bytes at all are read otherwise than JSON.parse reads them", () => {
  const pieces = fc.constantFrom(
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "a",
    "\\",
    "u0041",
    "1",
    "-",
    ".",
    "0",
    "e",
    " ",
    "true",
    "null",
    "\n",
    "\t",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      const source = parts.join("");
      let mine: unknown;
      try {
        mine = parse(utf8(source));
      } catch (error) {
        expect(error).toBeInstanceOf(BadJson);
        return;
      }
      // what is taken here is JSON there, too; Vitest tells 0 from -0, the protocol does not
      expect(JSON.stringify(plain(mine))).toBe(JSON.stringify(JSON.parse(source)));
    }),
    { numRuns: 3000 },
  );
});

test.each(["1.0", "1e2", "1.5"])("%s is no integer", (source) => {
  expect(() => integer()(parse(utf8(source)), "n")).toThrow(BadJson);
});

test("prototype names are plain keys and cannot reach a prototype", () => {
  const found = parse(utf8('{"__proto__":{"polluted":1},"constructor":2}'));
  expect(Object.getPrototypeOf(found)).toBe(null);
  expect(({} as Record<string, unknown>)["polluted"]).toBe(undefined);
  expect(() => struct({ toString: text() })(parse(utf8("{}")), "")).toThrow(BadJson);
});

test("base64url has one spelling", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect(unb64(b64(bytes))).toEqual(new Uint8Array(bytes));
    }),
  );
  for (const wrong of ["A", "AA==", "AB", "A+AA", "A/AA", "AA AA", "é"]) expect(() => unb64(wrong)).toThrow(RangeError);
  expect([isB64("AAA", 2), isB64("AAA", 3)]).toEqual([true, false]);
  expect(base32(utf8("foobar"))).toBe("mzxw6ytboi");
});

test("ids and names have one spelling", () => {
  const id = newId("msg");
  expect([isId(id, "msg"), isId(id, "upl"), isId(id.toUpperCase(), "msg"), isId(`${id}\n`, "msg")]).toEqual([
    true,
    false,
    false,
    false,
  ]);
  expect(isId(`${id.slice(0, -1)}b`, "msg")).toBe(false); // unused bits
  expect([isName("ann"), isName("an"), isName("Ann"), isName("ann\n")]).toEqual([true, false, false, false]);
  const accts = ["ann@post.example", "ann@localhost", "ann@", "ann@-x", "ann@a..b", "ann@b@c", "@post", "ann"];
  expect(accts.map(isAcct)).toEqual([true, true, false, false, false, false, false, false]);
});
