import Calling from "../screens/calling/Calling.svelte";
import Leave from "../screens/calling/Leave.svelte";
import type { CallingProps, LeaveProps, PageView } from "../screens/calling/props";
import OwnPage from "../screens/own-page/OwnPage.svelte";
import type { OwnPageProps } from "../screens/own-page/props";
import { exhibit, nothing, type Exhibit } from "./exhibit";
import { NOW, frame, still } from "./people";

const ADDRESS = "https://video.adeyemi.family/@ann#Zk3pQ0xJb1cYv8RmT5sW2A.k3pQ0xJb1cYv8RmT5sW2AZ";
const PAGE: PageView = {
  name: "ann",
  note: "Back on Monday. Until then I watch everything in the evening, Lagos time.",
  isVerified: true,
  isEarlier: false,
  closed: null,
  hasGreeting: true,
};

const calling = (state: CallingProps["state"], more: Partial<CallingProps> = {}): Exhibit =>
  exhibit(Calling, {
    name: "ann",
    state,
    playback: null,
    opening: false,
    greetingFailure: null,
    entering: false,
    enterFailure: null,
    kept: false,
    now: NOW,
    go: nothing,
    onlanguage: nothing,
    ongreet: nothing,
    onbegin: nothing,
    onlook: nothing,
    onsave: nothing,
    onretry: nothing,
    ...more,
  });
const page = (more: Partial<PageView>, props: Partial<CallingProps> = {}): Exhibit =>
  calling({ kind: "page", page: { ...PAGE, ...more } }, props);

const leave = (state: LeaveProps["state"], more: Partial<LeaveProps> = {}): Exhibit =>
  exhibit(Leave, {
    state,
    kind: "call",
    to: "ann",
    playback: still(58_000),
    name: "",
    caption: "",
    wantsAnswer: true,
    editing: { captions: null, failure: null, done: null },
    saving: false,
    go: nothing,
    onlanguage: nothing,
    onname: nothing,
    oncaption: nothing,
    onanswer: nothing,
    oncaptions: () => Promise.resolve(true),
    onsend: nothing,
    onagain: nothing,
    onsave: nothing,
    ondiscard: nothing,
    onretry: nothing,
    oncopy: nothing,
    ondone: nothing,
    ...more,
  });

const own = (more: Partial<OwnPageProps> = {}): Exhibit =>
  exhibit(OwnPage, {
    frame: frame(),
    state: { kind: "ready" },
    on: true,
    access: "anyone",
    schedule: null,
    note: PAGE.note,
    hasGreeting: true,
    kept: false,
    onlook: nothing,
    onsave: nothing,
    address: ADDRESS,
    working: false,
    failure: null,
    onback: nothing,
    onon: nothing,
    onaccess: nothing,
    onnote: nothing,
    onschedule: nothing,
    onrotate: nothing,
    ongreet: nothing,
    onnogreeting: nothing,
    oncopy: nothing,
    onretry: nothing,
    ...more,
  });
const HOURS = [0, 1, 2, 3, 4].map((day) => ({ day, start: 540, end: 1080 }));
const ANSWER = "https://video.adeyemi.family/m/answer#Zk3pQ0xJb1cYv8RmT5sW2AZk3pQ0xJb1cYv8RmT5sW2";

export const PAGES: Record<string, Exhibit> = {
  "call/looking": calling({ kind: "looking" }),
  "call/ready": page({}),
  "call/greeting": page({}, { playback: still(18_000, { positionMs: 7000, started: true }) }),
  "call/unverified": page({ isVerified: false, note: "", hasGreeting: false }),
  "call/earlier": page({ isEarlier: true, note: "", hasGreeting: false }),
  "call/closed": page({ closed: { why: "hours", opensAt: NOW + 15 * 3_600_000 } }),
  "call/by-link": page({ closed: { why: "link" }, isVerified: false, note: "", hasGreeting: false }),
  "call/by-account": page({ closed: { why: "account" } }),
  "call/entering": page({}, { entering: true }),
  "call/limit": page({}, { enterFailure: { code: "rate-limited", retryAfterS: 300 } }),
  "call/kept": page({}, { kept: true }),
  "call/nobody": calling({ kind: "nobody" }),
  "call/incomplete": calling({ kind: "incomplete" }),
  "call/offline": calling({ kind: "failed", failure: { code: "offline" } }),
  "call/damaged": calling({ kind: "failed", failure: { code: "page-damaged" } }),
  "call/review": leave({ kind: "review" }),
  "call/sending": leave({ kind: "sending", percent: 42, held: null }),
  "call/held": leave({ kind: "sending", percent: 42, held: "offline" }),
  "call/refused": leave({ kind: "failed", failure: { code: "call-over" }, isKept: true }),
  "call/left": leave({ kind: "left", atMs: NOW, answer: ANSWER }, { playback: null }),
  "page/loading": own({ state: { kind: "loading" } }),
  "page/off": own({ on: false }),
  "page/ready": own({ schedule: { timezone: "Africa/Lagos", hours: HOURS } }),
  "page/kept": own({ kept: true, hasGreeting: false }),
  "page/bare": own({ hasGreeting: false, note: "" }),
  "page/unavailable": own({ on: false, failure: { code: "pages-unavailable" } }),
  "page/greeting": leave(
    { kind: "review" },
    { kind: "greeting", editing: { captions: "WEBVTT", failure: null, done: "captions" } },
  ),
};
