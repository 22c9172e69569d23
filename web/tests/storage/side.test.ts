import * as fc from "fast-check";
import { expect, test } from "vitest";
import { newDeviceKey } from "../../src/storage/sealing";
import { joined, openSide, sealSide } from "../../src/storage/side";

const key = await newDeviceKey();
const film = Uint8Array.from({ length: 400 }, (_, at) => (at * 7) & 0xff);

test("a side record opens for its own draft only, and never when it is torn", async () => {
  const record = await sealSide(key, "msg_a", { number: 3, offset: 20, plain: film.slice(20, 60) });
  expect(await openSide(key, "msg_a", record)).toEqual({ number: 3, offset: 20, plain: film.slice(20, 60) });
  expect(await openSide(key, "msg_b", record)).toBeNull();
  expect(await openSide(await newDeviceKey(), "msg_a", record)).toBeNull();
  for (let end = 0; end < record.length; end += 1)
    expect(await openSide(key, "msg_a", record.slice(0, end))).toBeNull();
  for (let at = 0; at < record.length; at += 1) {
    const changed = record.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(await openSide(key, "msg_a", changed)).toBeNull();
  }
});

test("whatever of spool and side records a crash leaves, the join is a prefix of the film and loses nothing that it has", () => {
  const piece = fc.record({ offset: fc.nat({ max: 400 }), length: fc.nat({ max: 200 }) });
  fc.assert(
    fc.property(fc.nat({ max: 400 }), fc.array(fc.option(piece), { maxLength: 2 }), (spooled, pieces) => {
      const sides = pieces.map((each, at) =>
        each ? { number: at, offset: each.offset, plain: film.slice(each.offset, each.offset + each.length) } : null,
      );
      const whole = joined(film.slice(0, spooled), sides);
      expect(whole).toEqual(film.slice(0, whole.length));
      expect(whole.length).toBeGreaterThanOrEqual(spooled);
      const last = sides.findLast((side) => side !== null && side.offset <= spooled);
      if (last) expect(whole.length).toBeGreaterThanOrEqual(last.offset + last.plain.length);
    }),
  );
});
