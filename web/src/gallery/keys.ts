import Added from "../screens/people/Added.svelte";
import Person from "../screens/people/Person.svelte";
import type { AddedProps, KnownKey, PersonProps } from "../screens/people/props";
import type { KeysProps, RescueProps } from "../screens/settings/keys";
import Rescue from "../screens/settings/Rescue.svelte";
import type { Failure } from "../screens/views";
import { exhibit, nothing, type Exhibit } from "./exhibit";
import { DAYS_AGO, NOW, PEOPLE, frame } from "./people";

const NUMBER = {
  groups: "40218 77310 05926 61184 93047 22865 18859 60431 74402 33976 81520 49617".split(" "),
  code: `restante/1 safety ${"aGVsbG8tZnJvbS1jbGFpcmUtYW5kLWFubi0".repeat(2)}aGVsbG8`,
};

const WITNESSES = [
  { key: "1", name: "witness.example", isRequired: true },
  { key: "2", name: "second-witness.example", isRequired: false },
];

export const keys = (more: Partial<KeysProps["keys"]> = {}, failure: Failure | null = null): KeysProps => ({
  witnesses: { list: failure || more.told ? WITNESSES : [], failure, onchoose: nothing },
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
    blocked: false,
    onblock: nothing,
    onunblock: nothing,
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
  "people/person-verified": person({}),
  "people/person-not-verified": person({ person: PEOPLE.mina }, unverified),
  "people/person-changed": person({ person: PEOPLE.theo }, { kind: "changed", ...unverified }),
  "people/person-succeeded": person(
    { person: { ...PEOPLE.joseph, trust: "succeeded" } },
    { ...unverified, hasFollowed: true },
  ),
  "people/person-loading": person({ state: { kind: "loading" } }),
  "people/person-offline": person({ state: { kind: "offline" } }),
  "people/person-failed": person({ state: { kind: "failed", failure: { code: "record-forked" } } }),
  "people/person-scan-same": person({ scan: { kind: "same" } }, unverified),
  "people/person-scan-different": person({ scan: { kind: "different" } }, unverified),
  "people/person-scan-denied": person({ scan: { kind: "failed", failure: { code: "camera-denied" } } }, unverified),
  "people/link-added": added({ adding: { kind: "added", person: PEOPLE.mina } }),
  "people/link-looking": added({}),
  "people/link-other-key": added({ adding: { kind: "failed", failure: { code: "fingerprint-mismatch" } } }),
  "people/link-incomplete": added({ problem: "incomplete" }),
  "people/link-own": added({ problem: "own" }),
  "settings/rescue-begin": rescue({}),
  "settings/rescue-working": rescue({ done: ["sessions"], working: "keys" }),
  "settings/rescue-ways": rescue({ done: ["sessions", "keys"] }),
  "settings/rescue-failed": rescue({ failure: { code: "offline" } }),
  "settings/rescue-done": rescue({ done: ["sessions", "keys", "ways", "people"] }),
};
