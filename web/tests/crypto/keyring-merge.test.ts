// Two devices change the keyring at once: whatever they add or drop of devices and ways in, nothing is lost, and both
// come to the same, whoever merges, also when a third one came between.

import fc from "fast-check";
import { expect, test } from "vitest";
import { newKeyring, type Keyring } from "../../src/crypto/keyring";
import { mergeKeyrings, withDevice, withMethod, withoutDevice, withoutMethod } from "../../src/crypto/keyring-changes";

interface Change {
  of: "devices" | "unlock";
  what: "add" | "drop" | "rename";
  name: string;
  label: string;
}
const change: fc.Arbitrary<Change> = fc.record({
  of: fc.constantFrom("devices" as const, "unlock" as const),
  what: fc.constantFrom("add" as const, "drop" as const, "rename" as const),
  name: fc.constantFrom("a", "b", "c", "d"),
  label: fc.constantFrom("x", "é", "zz"),
});
const changes = fc.array(change, { maxLength: 6 });

const device = (name: string, label: string) => ({ did: name, label, recipient: `age1${name}`, created: 1 });
const method = (name: string, label: string) => {
  return { mid: name, type: "passkey" as const, label, recipient: `age1${name}`, created: 1 };
};
const namesOf = (ring: Keyring) => ({
  devices: new Set(ring.devices.map(({ did }) => did)),
  unlock: new Set(ring.unlock.map(({ mid }) => mid)),
});

function changed(ring: Keyring, { of, what, name, label }: Change): Keyring {
  if (what === "rename" && !namesOf(ring)[of].has(name)) return ring;
  if (of === "devices") return what === "drop" ? withoutDevice(ring, name) : withDevice(ring, device(name, label));
  return what === "drop" ? withoutMethod(ring, name) : withMethod(ring, method(name, label));
}
const after = (steps: readonly Change[], ring: Keyring) => steps.reduce(changed, ring);

const BASE: Keyring = {
  ...newKeyring("ann@post.example", 1),
  devices: [device("a", "x"), device("b", "x")],
  unlock: [method("a", "x"), method("b", "x")],
};
/** Without its rev, and in no order. */
const content = (ring: Keyring) => ({
  devices: new Set(ring.devices.map((each) => JSON.stringify(each))),
  unlock: new Set(ring.unlock.map((each) => JSON.stringify(each))),
});

test("what one side added is there, what one side dropped is gone, and both come to the same", () => {
  fc.assert(
    fc.property(changes, changes, (one, other) => {
      const [mine, theirs] = [after(one, BASE), after(other, BASE)];
      const merged = mergeKeyrings(BASE, mine, theirs);
      expect(mergeKeyrings(BASE, theirs, mine)).toEqual(merged);
      expect(merged.rev).toBe(Math.max(mine.rev, theirs.rev) + 1);
      const [was, has] = [namesOf(BASE), namesOf(merged)];
      for (const side of [namesOf(mine), namesOf(theirs)]) {
        for (const of of ["devices", "unlock"] as const) {
          for (const name of side[of]) if (!was[of].has(name)) expect(has[of]).toContain(name);
          for (const name of was[of]) if (!side[of].has(name)) expect(has[of]).not.toContain(name);
        }
      }
    }),
    { numRuns: 400 },
  );
});

test("a merge with what is unchanged, or with the same, is the change", () => {
  fc.assert(
    fc.property(changes, (steps) => {
      const ring = after(steps, BASE);
      expect(content(mergeKeyrings(BASE, ring, BASE))).toEqual(content(ring));
      expect(content(mergeKeyrings(BASE, BASE, ring))).toEqual(content(ring));
      expect(content(mergeKeyrings(BASE, ring, ring))).toEqual(content(ring));
    }),
    { numRuns: 200 },
  );
});

test("three devices at once: whoever is refused twice merges twice, and nothing is lost", () => {
  fc.assert(
    fc.property(changes, changes, changes, (one, other, third) => {
      const [first, second, last] = [after(one, BASE), after(other, BASE), after(third, BASE)];
      // The second is refused and merges; the third is refused by the first's, then by what the second stored.
      const stored = mergeKeyrings(BASE, second, first);
      const retried = mergeKeyrings(first, mergeKeyrings(BASE, last, first), stored);
      const has = namesOf(retried);
      for (const side of [first, second, last]) {
        for (const { did } of side.devices) {
          const wasDropped = [first, second, last].some((each) => !namesOf(each).devices.has(did) && did < "c");
          if (!wasDropped) expect(has.devices).toContain(did);
        }
      }
      for (const { did } of BASE.devices) {
        if ([first, second, last].some((each) => !namesOf(each).devices.has(did))) {
          expect(has.devices).not.toContain(did);
        }
      }
    }),
    { numRuns: 200 },
  );
});
