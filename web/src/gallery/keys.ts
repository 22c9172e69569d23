import Added from "../screens/people/Added.svelte";
import Person from "../screens/people/Person.svelte";
import type { AddedProps, KnownKey, PersonProps } from "../screens/people/props";
import type { KeysProps, RescueProps } from "../screens/settings/keys";
import Rescue from "../screens/settings/Rescue.svelte";
import { exhibit, nothing, type Exhibit } from "./exhibit";
import { DAYS_AGO, NOW, PEOPLE, frame } from "./people";

const NUMBER = {
  groups: "40218 77310 05926 61184 93047 22865 18859 60431 74402 33976 81520 49617".split(" "),
  code: `restante/1 safety ${"aGVsbG8tZnJvbS1jbGFpcmUtYW5kLWFubi0".repeat(2)}aGVsbG8`,
};

export const keys = (more: Partial<KeysProps["keys"]> = {}): KeysProps => ({
  keys: { sealingSince: DAYS_AGO(112), working: null, told: null, failure: null, isUnpublished: false, ...more },
  now: NOW,
  go: nothing,
  onsealing: nothing,
  onsigning: nothing,
  onfinish: nothing,
});

const person = (more: Partial<PersonProps>, key: Partial<KnownKey> = {}): Exhibit =>
  exhibit(Person, {
    frame: frame(),
    person: PEOPLE.ann,
    state: { kind: "ready", number: NUMBER, verifiedAt: DAYS_AGO(112), hasFollowed: false, ...key },
    scan: { kind: "off" },
    now: NOW,
    onretry: nothing,
    onscan: nothing,
    onscanned: nothing,
    onsame: nothing,
    ontrust: nothing,
    onunmark: nothing,
    ...more,
  });

const added = (more: Partial<AddedProps>): Exhibit =>
  exhibit(Added, {
    frame: frame(),
    adding: { kind: "looking" },
    problem: null,
    onretry: nothing,
    onremove: nothing,
    ...more,
  });

const rescue = (more: Partial<RescueProps>): Exhibit =>
  exhibit(Rescue, { frame: frame(), done: [], working: null, failure: null, onstep: nothing, ...more });

const unverified = { verifiedAt: null };
export const KEYS: Record<string, Exhibit> = {
  "person/verified": person({}),
  "person/not-verified": person({ person: PEOPLE.mina }, unverified),
  "person/changed": person({ person: PEOPLE.theo }, { kind: "changed", ...unverified }),
  "person/succeeded": person(
    { person: { ...PEOPLE.joseph, trust: "succeeded" } },
    { ...unverified, hasFollowed: true },
  ),
  "person/loading": person({ state: { kind: "loading" } }),
  "person/offline": person({ state: { kind: "offline" } }),
  "person/failed": person({ state: { kind: "failed", failure: { code: "record-forked" } } }),
  "person/scan-same": person({ scan: { kind: "same" } }, unverified),
  "person/scan-different": person({ scan: { kind: "different" } }, unverified),
  "person/scan-denied": person({ scan: { kind: "failed", failure: { code: "camera-denied" } } }, unverified),
  "add/added": added({ adding: { kind: "added", person: PEOPLE.mina } }),
  "add/looking": added({}),
  "add/other-key": added({ adding: { kind: "failed", failure: { code: "fingerprint-mismatch" } } }),
  "add/incomplete": added({ problem: "incomplete" }),
  "add/own": added({ problem: "own" }),
  "rescue/begin": rescue({}),
  "rescue/working": rescue({ done: ["sessions"], working: "keys" }),
  "rescue/ways": rescue({ done: ["sessions", "keys"] }),
  "rescue/failed": rescue({ failure: { code: "offline" } }),
  "rescue/done": rescue({ done: ["sessions", "keys", "ways", "people"] }),
};
