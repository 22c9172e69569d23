import People from "../screens/people/People.svelte";
import Group from "../screens/group/Group.svelte";
import type { GroupProps } from "../screens/group/props";
import type { GroupView } from "../screens/views";
import type { PeopleProps } from "../screens/people/props";
import Browser from "../screens/settings/Browser.svelte";
import KnownPage from "../screens/settings/KnownPage.svelte";
import type { KnownProps } from "../screens/settings/known";
import Settings from "../screens/settings/Settings.svelte";
import type { BrowserProps, SettingsProps } from "../screens/settings/props";
import { exhibit, nothing, type Exhibit } from "./exhibit";
import { keys } from "./keys";
import { OPEN_HERE, opens, SHUT_HERE } from "./opens";
import { PAID, STANDING } from "./plan";
import { waysIn } from "./ways";
import { DAYS_AGO, NOW, PEOPLE, ago, frame } from "./people";

const GROUPS: readonly GroupView[] = [
  { id: "grp_a", name: "Family", members: [PEOPLE.ann, PEOPLE.theo, PEOPLE.mina] },
  { id: "grp_b", name: "Team", members: [] },
];
const group = (more: Partial<GroupProps>): Exhibit =>
  exhibit(Group, {
    ...{ frame: frame(), group: GROUPS[0] ?? null, loading: false, people: Object.values(PEOPLE), failure: null },
    ...{ onrename: nothing, onmember: nothing, ondelete: nothing },
    ...more,
  });
const people = (more: Partial<PeopleProps>): Exhibit =>
  exhibit(People, {
    frame: frame(),
    state: { kind: "ready" },
    people: Object.values(PEOPLE),
    groups: { list: GROUPS, deleted: null, failure: null, onmake: async () => Promise.resolve(true), onundo: nothing },
    adding: { kind: "idle" },
    link: "https://video.adeyemi.family/add/claire@adeyemi.family#fp.Zk3pQ0xJb1cYv8RmT5sW2A",
    onadd: nothing,
    onremove: nothing,
    onretry: nothing,
    oncopy: nothing,
    ...more,
  });

const settings = (more: Partial<SettingsProps>): Exhibit =>
  exhibit(Settings, {
    frame: frame(),
    ways: waysIn(),
    keys: keys(),
    opens: opens(null),
    plan: null,
    operator: false,
    choices: { language: "en", theme: "system", beep: true, countdown: true, letters: true },
    onchoose: nothing,
    receipts: "plain",
    onreceipts: nothing,
    words: 0,
    devices: {
      kind: "ready",
      list: [
        { id: "1", label: "Firefox, Linux", client: "web", since: DAYS_AGO(20), usedAt: ago(0), isHere: true },
        { id: "2", label: "Chrome, Android", client: "web", since: DAYS_AGO(6), usedAt: ago(1120), isHere: false },
        { id: "3", label: "pottery shed", client: "cli", since: DAYS_AGO(90), usedAt: ago(660), isHere: false },
        { id: "4", label: "old laptop", client: null, since: DAYS_AGO(200), usedAt: null, isHere: false },
      ],
    },
    removing: new Set<string>(),
    storage: { usedBytes: 412e6, quotaBytes: 2e9, drafts: 1, persisted: false },
    now: NOW,
    going: 0,
    onpersist: nothing,
    onremove: nothing,
    onremoveothers: nothing,
    onretry: nothing,
    onsignout: nothing,
    onsignouteverywhere: nothing,
    ...more,
  });

const browser = (abilities: BrowserProps["abilities"]): Exhibit => exhibit(Browser, { frame: frame(), abilities });

const table = (name: string, rows: number, bytes: number) => {
  return { table: name, rows, bytes, first_at: DAYS_AGO(90), last_at: ago(60) };
};
const KNOWN = {
  name: "claire",
  created_at: DAYS_AGO(90),
  tables: [
    table("accounts", 1, 0),
    table("account_records", 4, 9_200),
    table("keyrings", 1, 16_700),
    table("state_shards", 5, 41_000),
    table("unlock_methods", 2, 80),
    table("sessions", 3, 96),
    table("uploads", 12, 96e6),
    table("messages", 12, 97e6),
    table("envelopes", 31, 420_000),
  ],
  peers: [
    { name: "ann", sent: 7, received: 12, bytes: 184e6, first_at: DAYS_AGO(88), last_at: ago(60) },
    { name: "joseph", sent: 5, received: 7, bytes: 92e6, first_at: DAYS_AGO(60), last_at: DAYS_AGO(2) },
  ],
};
const known = (state: KnownProps["state"]): Exhibit =>
  exhibit(KnownPage, { frame: frame(), state, now: NOW, onretry: nothing });

export const HOUSE: Record<string, Exhibit> = {
  "people/loading": people({ state: { kind: "loading" }, people: [] }),
  "people/empty": people({ people: [] }),
  "people/ready": people({}),
  "group/ready": group({}),
  "group/empty": group({ group: GROUPS[1] ?? null, failure: { code: "group-name-taken" } }),
  "group/gone": group({ group: null }),
  "group/loading": group({ group: null, loading: true }),
  "people/added": people({ adding: { kind: "added", person: PEOPLE.mina } }),
  "people/offline": people({ state: { kind: "offline" } }),
  "people/failed": people({ state: { kind: "failed", failure: { code: "shard-forged" } } }),
  "settings/loading": settings({ devices: { kind: "loading" }, storage: null }),
  "settings/ready": settings({}),
  "settings/operator": settings({ operator: true, plan: STANDING }),
  "settings/plan-late": settings({ plan: { ...PAID, state: "late" } }),
  "settings/country": settings({ opens: opens(OPEN_HERE) }),
  "settings/not-open": settings({ opens: opens(SHUT_HERE) }),
  "settings/not-open-told": settings({ opens: opens({ ...SHUT_HERE, waiting: true }) }),
  "settings/beta": settings({
    opens: opens(
      { ...SHUT_HERE, phase: "beta", opens_at: null },
      { refused: { what: "invite", failure: { code: "ticket-refused" } } },
    ),
  }),
  "settings/opened": settings({ opens: opens(OPEN_HERE, { opened: true }) }),
  "settings/way-added": settings({ ways: waysIn({ told: "added" }) }),
  "settings/way-again": settings({ ways: waysIn({ again: true }) }),
  "settings/way-refused": settings({ ways: waysIn({ failure: { code: "last-way-in" } }) }),
  "settings/kept": settings({ storage: { usedBytes: 1.8e9, quotaBytes: 2e9, drafts: 0, persisted: true } }),
  "settings/removing": settings({ removing: new Set(["2"]) }),
  "settings/no-network": settings({ frame: { ...frame(), offline: true } }),
  "settings/browser-looking": browser(null),
  "settings/browser": browser({
    camera: "yes",
    microphone: "helped",
    encoder: "yes",
    aac: "helped",
    player: "yes",
    storage: "yes",
    persistence: "helped",
    "wake-lock": "yes",
    float: "yes",
    screen: "no",
    share: "helped",
  }),
  "settings/key-made": settings({ keys: keys({ told: "sealing" }) }),
  "settings/key-unpublished": settings({ keys: keys({ isUnpublished: true }) }),
  "settings/unwitnessed": settings({ keys: keys({}, { code: "log-unwitnessed" }) }),
  "settings/known": known({ kind: "ready", known: KNOWN }),
  "settings/known-nobody": known({ kind: "ready", known: { ...KNOWN, peers: [] } }),
  "settings/known-loading": known({ kind: "loading" }),
  "settings/known-offline": known({ kind: "offline" }),
  "settings/known-failed": known({ kind: "failed", failure: { code: "server-unreachable" } }),
  "settings/offline": settings({ devices: { kind: "offline" } }),
  "settings/failed": settings({ devices: { kind: "failed", failure: { code: "server-unreachable" } } }),
};
