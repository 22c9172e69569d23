/** The other pages of the operator's desk in their states. */

import DeskPeople from "../screens/desk/DeskPeople.svelte";
import DeskRecord from "../screens/desk/DeskRecord.svelte";
import DeskWork from "../screens/desk/DeskWork.svelte";
import Entrance from "../screens/desk/Entrance.svelte";
import type { EntranceProps, EntranceView } from "../screens/desk/entrance-props";
import type { DeskPeopleProps, DeskRecordProps, DeskWorkProps } from "../screens/desk/props";
import { exhibit, nothing, type Exhibit } from "./exhibit";
import { ago, DAYS_AGO, frame, NOW } from "./people";

const APRIL = Date.UTC(2027, 3, 1);
const door = (
  what: "country" | "platform",
  name: string,
  phase: EntranceView["doors"]["items"][number]["phase"],
  more: Partial<EntranceView["doors"]["items"][number]> = {},
): EntranceView["doors"]["items"][number] => ({
  ...{ what, name, phase, opens_at: null, open: phase === "open", text: {}, cohort: 0, switched: false },
  written: phase,
  ...more,
});
const VIEW: EntranceView = {
  doors: {
    by_file: true,
    exceptions: 0,
    items: [
      door("country", "US", "open"),
      door("country", "FR", "beta", { switched: true, written: "later", cohort: 2 }),
      door("country", "elsewhere", "later"),
      door("platform", "macos", "open"),
      door("platform", "windows", "planned", { opens_at: APRIL }),
      door("platform", "other", "unknown"),
    ],
  },
  waiting: {
    places: [{ country: "FR", platform: "ios", people: 2 }],
    items: [
      { id: 1, name: "mina", mail: null, country: "FR", platform: "ios", created_at: ago(90), opens: true },
      { id: 2, name: null, mail: "z…@mail.example", country: "DE", platform: "ios", created_at: ago(20), opens: false },
    ],
    more: false,
  },
  invites: [
    {
      ...{ id: "inv_1", state: "open", note: "For Joseph", uses: 0, most_uses: 1 },
      ...{ created_at: DAYS_AGO(2), expires_at: DAYS_AGO(-12) },
    },
    { ...{ id: "inv_2", state: "used", note: "", uses: 3, most_uses: 3 }, created_at: DAYS_AGO(9), expires_at: null },
  ],
};
const entrance = (more: Partial<EntranceProps>): Exhibit =>
  exhibit(Entrance, {
    ...{ frame: frame(), state: { kind: "ready", desk: VIEW }, draft: [], preview: null, working: false },
    ...{ failure: null, link: "", now: NOW, onlook: nothing, onset: nothing, onpreview: nothing, onapply: nothing },
    ...{ oninvite: nothing, onmake: nothing, onrevoke: nothing },
    ...more,
  });
const SHUT = { allowed: false, phase: "later", blocked_by: "country", opens_at: null } as const;
const OPEN = { allowed: true, phase: "open", blocked_by: null, opens_at: null, text: {} } as const;

const PERSON = { created_at: DAYS_AGO(90), seen_at: ago(5), messages: 12, bytes: 96e6 };
const people = (state: DeskPeopleProps["state"]): Exhibit =>
  exhibit(DeskPeople, { frame: frame(), state, now: NOW, onlook: nothing, onfurther: nothing });
const record = (state: DeskRecordProps["state"]): Exhibit =>
  exhibit(DeskRecord, { frame: frame(), state, now: NOW, onlook: nothing, onfurther: nothing });
const work = (more: Partial<DeskWorkProps>): Exhibit =>
  exhibit(DeskWork, {
    ...{ frame: frame(), state: { kind: "ready", desk: [] }, working: false, failure: null, now: NOW },
    ...{ onlook: nothing, onretry: nothing },
    ...more,
  });
const ACT = { seq: 2, at: ago(600), operator: "claire", act: "look", subject: "rep_0", note: "" };

export const DESK_PAGES: Record<string, Exhibit> = {
  "entrance/ready": entrance({}),
  "entrance/preview": entrance({
    draft: [{ what: "country", name: "DE", phase: "open", opens_at: null }],
    preview: [
      {
        ...{ country: "DE", platform: "ios", after: OPEN },
        before: { ...SHUT, text: { en: "We begin in the United States." } },
      },
    ],
  }),
  "entrance/no-file": entrance({
    state: { kind: "ready", desk: { ...VIEW, doors: { ...VIEW.doors, by_file: false }, invites: [] } },
    link: "https://post.example/sign-up#ticket=abcd-efgh-ijkl-mnop",
  }),
  "entrance/refused": entrance({ failure: { code: "not-available-yet" } }),
  "desk-people/ready": people({
    kind: "ready",
    desk: {
      more: true,
      items: [
        { ...PERSON, name: "claire", is_banned: false, is_operator: true },
        { ...PERSON, name: "joseph", seen_at: null, is_banned: true, is_operator: false },
      ],
    },
  }),
  "desk-people/nobody": people({ kind: "ready", desk: { more: false, items: [] } }),
  "desk-work/failing": work({
    state: {
      kind: "ready",
      desk: [
        { kind: "mail", count: 3, oldest_due_at: ago(70), failing: 2, attempts: 4 },
        { kind: "push", count: 1, oldest_due_at: ago(1), failing: 0, attempts: 0 },
      ],
    },
  }),
  "desk-work/idle": work({}),
  "desk-record/ready": record({
    kind: "ready",
    desk: {
      ...{ more: true, whole: true },
      items: [{ ...ACT, seq: 3, operator: "", act: "switch", subject: "", note: "FR: beta" }, ACT],
    },
  }),
  "desk-record/changed": record({ kind: "ready", desk: { more: false, whole: false, items: [ACT] } }),
};
