import Archive from "../screens/archive/Archive.svelte";
import Drafts from "../screens/drafts/Drafts.svelte";
import type { DraftItem, DraftPhase, DraftsProps } from "../screens/drafts/props";
import Inbox from "../screens/inbox/Inbox.svelte";
import type { InboxItem, InboxProps } from "../screens/inbox/props";
import SentList from "../screens/sent/SentList.svelte";
import type { SentProps } from "../screens/sent/props";
import type { OutgoingView } from "../screens/views";
import Watch from "../screens/watch/Watch.svelte";
import type { WatchProps } from "../screens/watch/props";
import { after, exhibit, nothing, press, type Exhibit } from "./exhibit";
import { DAYS_AGO, NOW, PEOPLE, STAMPS, STILLS, ago, frame, still } from "./people";

const letter = (id: string, more: Partial<InboxItem>): InboxItem => ({
  id,
  kind: "video",
  from: PEOPLE.ann,
  caller: null,
  caption: "",
  picture: null,
  durationMs: 60_000,
  sentAt: ago(60),
  playedAt: null,
  onDevice: true,
  failure: null,
  request: false,
  gap: false,
  kept: false,
  passedBy: null,
  ...more,
});
const ITEMS: InboxItem[] = [
  letter("a", {
    caption: "Good morning from Lagos, the mangoes are ripe",
    picture: STAMPS.ann,
    durationMs: 102_000,
    sentAt: ago(385),
  }),
  letter("b", {
    from: PEOPLE.mina,
    caption: "In sign, no sound: about Saturday",
    picture: STAMPS.mina,
    durationMs: 58_000,
    sentAt: ago(1013),
  }),
  letter("c", {
    from: PEOPLE.theo,
    caption: "I scored!!!",
    picture: STAMPS.theo,
    durationMs: 21_000,
    sentAt: ago(1235),
    onDevice: false,
  }),
  letter("d", {
    from: PEOPLE.joseph,
    picture: STAMPS.joseph,
    durationMs: 171_000,
    sentAt: DAYS_AGO(3),
    playedAt: DAYS_AGO(2),
  }),
  letter("e", {
    from: PEOPLE.okafor,
    caption: "Your results",
    picture: STAMPS.okafor,
    durationMs: 70_000,
    sentAt: DAYS_AGO(11),
    playedAt: DAYS_AGO(10),
  }),
];
const OUTGOING: OutgoingView = {
  id: "o",
  picture: STAMPS.claire,
  durationMs: 88_000,
  recipients: [PEOPLE.ann, PEOPLE.joseph],
  percent: 64.7,
  held: null,
};

const inbox = (more: Partial<InboxProps>): Exhibit =>
  exhibit(Inbox, {
    frame: frame(more.items?.filter((item) => item.playedAt === null).length ?? 0),
    state: { kind: "ready" },
    items: [],
    outgoing: [],
    drafts: [],
    takes: 0,
    arrived: null,
    deleted: null,
    archived: 0,
    report: null,
    onreport: nothing,
    onreportclose: nothing,
    now: NOW,
    onopen: nothing,
    ondelete: nothing,
    ondecide: nothing,
    onundo: nothing,
    onretry: nothing,
    ondraft: nothing,
    onsavedraft: nothing,
    ondeletedraft: nothing,
    ...more,
  });

const archive = (more: Partial<InboxProps>): Exhibit =>
  exhibit(Archive, {
    ...{ frame: frame(), items: [], deleted: null, now: NOW },
    ...{ onopen: nothing, ondelete: nothing, onundo: nothing, onback: nothing },
    ...more,
  });

const sent = (more: Partial<SentProps>): Exhibit =>
  exhibit(SentList, {
    frame: frame(),
    state: { kind: "ready" },
    items: [
      {
        id: "s",
        kind: "video",
        picture: STAMPS.claire,
        durationMs: 47_000,
        bytes: 11.4e6,
        caption: "The garden, as promised",
        keptAt: ago(130),
        storedAt: ago(128),
        deliveries: [{ person: PEOPLE.ann, deliveredAt: ago(96), playedAt: ago(41) }],
      },
      {
        id: "t",
        kind: "video",
        picture: STAMPS.claire,
        durationMs: 134_000,
        bytes: 33e6,
        caption: "",
        keptAt: null,
        storedAt: DAYS_AGO(2),
        deliveries: [
          { person: PEOPLE.joseph, deliveredAt: DAYS_AGO(1), playedAt: null },
          { person: PEOPLE.mina, deliveredAt: null, playedAt: null },
        ],
      },
    ],
    outgoing: [OUTGOING],
    taken: null,
    onleave: nothing,
    now: NOW,
    ondraft: nothing,
    onopen: nothing,
    onundo: nothing,
    onretry: nothing,
    ...more,
  });

const take = (id: string, phase: DraftPhase, more: Partial<DraftItem> = {}): DraftItem => ({
  id,
  picture: STAMPS.claire,
  durationMs: 47_000,
  recordedAt: ago(14),
  phase,
  recipients: [],
  ...more,
});
const TAKES: DraftItem[] = [
  take("a", { kind: "going", percent: 64.7, held: null }, { recipients: [PEOPLE.ann, PEOPLE.joseph] }),
  take("b", { kind: "going", percent: 31, held: "server-full" }, { recipients: [PEOPLE.mina], recordedAt: ago(70) }),
  take("c", { kind: "kept" }, { recordedAt: ago(95) }),
  take("d", { kind: "interrupted" }, { durationMs: null, picture: null, recordedAt: ago(400) }),
  take("e", { kind: "refused", failure: { code: "no-such-recipient" } }, { recipients: [PEOPLE.theo] }),
  take("f", { kind: "elsewhere" }, { recordedAt: ago(2) }),
  take("g", { kind: "evicted" }, { durationMs: null, picture: null, recordedAt: DAYS_AGO(9) }),
];
const drafts = (more: Partial<DraftsProps>): Exhibit =>
  exhibit(Drafts, {
    frame: frame(),
    items: TAKES,
    loading: false,
    deleted: null,
    now: NOW,
    onopen: nothing,
    onsave: nothing,
    ondelete: nothing,
    onresume: nothing,
    onundo: nothing,
    ...more,
  });

const MESSAGE: WatchProps["message"] = {
  id: "a",
  from: PEOPLE.ann,
  caller: null,
  mayReply: false,
  caption: "Good morning from Lagos, the mangoes are ripe",
  picture: STILLS.ann,
  durationMs: 102_000,
  bytes: 31e6,
  sentAt: ago(385),
  deliveredAt: ago(293),
  playedAt: null,
  endsAt: null,
  once: false,
  hushed: false,
  passedBy: null,
  isText: false,
};
const DEALING: WatchProps["dealing"] = {
  kept: false,
  archived: false,
  mayForward: true,
  people: Object.values(PEOPLE),
  groups: [{ id: "grp_family", name: "Family", members: Object.values(PEOPLE).slice(0, 2) }],
  forwarding: { kind: "idle" },
  reporting: { kind: "idle" },
  onkeep: nothing,
  onarchive: nothing,
  onforward: nothing,
  onreport: nothing,
  onreset: nothing,
};
const watch = (state: WatchProps["state"], more: Partial<WatchProps> = {}): Exhibit =>
  exhibit(Watch, {
    frame: frame(2),
    state,
    message: MESSAGE,
    playback: still(102_000),
    held: false,
    leftMs: 0,
    thread: [],
    next: null,
    dealing: DEALING,
    refused: null,
    saving: null,
    now: NOW,
    onback: nothing,
    onsave: nothing,
    onanswer: nothing,
    onreply: nothing,
    ontalk: nothing,
    ondelete: nothing,
    onretry: nothing,
    onnext: nothing,
    ...more,
  });
const at = (positionMs: number) =>
  still(102_000, { positionMs, loadedMs: Math.min(102_000, positionMs + 42_000), started: true });
const refused = (code: string): Exhibit => watch({ kind: "refused", failure: { code } }, { playback: null });

export const MAIL: Record<string, Exhibit> = {
  "inbox/loading": inbox({ state: { kind: "loading" } }),
  "inbox/empty": inbox({}),
  "inbox/ready": inbox({ items: ITEMS, outgoing: [OUTGOING] }),
  "inbox/gap": inbox({ items: ITEMS.map((item) => ({ ...item, gap: item.id === "b" || item.id === "e" })) }),
  "inbox/request": inbox({
    items: ITEMS.map((item) => ({ ...item, request: item.id === "a" })),
  }),
  "inbox/written": inbox({
    items: [
      ...ITEMS,
      letter("f", { kind: "text", from: PEOPLE.joseph, caption: "Got it, thank you. Saturday then.", sentAt: ago(12) }),
      letter("g", { kind: "reaction", from: PEOPLE.mina, caption: "👏", sentAt: ago(30) }),
    ],
  }),
  "inbox/draft": inbox({
    items: ITEMS,
    drafts: [
      { id: "d", picture: STAMPS.claire, durationMs: 47_000, recordedAt: ago(14), isHere: true },
      { id: "e", picture: null, durationMs: 12_000, recordedAt: DAYS_AGO(9), isHere: false },
    ],
    takes: 3,
  }),
  "inbox/kept": inbox({
    items: ITEMS.map((item) => ({
      ...item,
      kept: item.playedAt !== null,
      passedBy: item.id === "b" ? PEOPLE.joseph : null,
    })),
    archived: 12,
  }),
  "inbox/report": inbox({ items: ITEMS, report: { name: "Dr Okafor", state: { kind: "idle" } } }),
  "inbox/reported": inbox({
    items: ITEMS,
    report: { name: "Dr Okafor", state: { kind: "done", contact: "abuse@adeyemi.family" } },
  }),
  "archive/ready": archive({ items: ITEMS.slice(1, 4) }),
  "archive/empty": archive({}),
  "inbox/undo": inbox({ items: ITEMS.slice(1), deleted: { id: "a", name: "Ann Adeyemi" } }),
  "inbox/offline": inbox({
    items: ITEMS,
    outgoing: [{ ...OUTGOING, held: "offline" }],
    state: { kind: "offline", lookedAt: ago(45) },
  }),
  "inbox/failed": inbox({
    items: ITEMS.slice(3),
    state: { kind: "failed", failure: { code: "server-unreachable" }, lookedAt: ago(8) },
  }),
  "inbox/keys": after(inbox({ items: ITEMS }), () => dispatchEvent(new KeyboardEvent("keydown", { key: "?" }))),
  "drafts/loading": drafts({ items: [], loading: true }),
  "drafts/empty": drafts({ items: [] }),
  "drafts/ready": drafts({}),
  "drafts/undo": drafts({ items: TAKES.slice(0, 2), deleted: "c" }),
  "watch/opening": watch({ kind: "opening" }, { message: null, playback: null }),
  "watch/ready": watch({ kind: "ready" }),
  "watch/playing": watch(
    { kind: "ready" },
    { playback: { ...at(38_000), paused: false }, message: { ...MESSAGE, playedAt: ago(1) } },
  ),
  "watch/captions": watch(
    { kind: "ready" },
    {
      playback: {
        ...at(41_000),
        paused: false,
        captions: "on",
        caption: "The first ones fell in the night.\nWe heard them.",
        canFloat: true,
      },
    },
  ),
  "watch/held": watch({ kind: "ready" }, { playback: { ...at(38_000), paused: false, waiting: true }, held: true }),
  "watch/left": watch({ kind: "ready" }, { leftMs: 38_000 }),
  "watch/ended": watch(
    { kind: "ready" },
    { playback: { ...at(102_000), ended: true, muted: true }, next: { name: PEOPLE.mina.name, durationMs: 58_000 } },
  ),
  "watch/saving": watch({ kind: "ready" }, { playback: at(102_000), saving: 41.2 }),
  "watch/thread": watch(
    { kind: "ready" },
    {
      message: { ...MESSAGE, endsAt: NOW + 3 * 86_400_000, once: true },
      thread: [
        { id: "x", who: "You", words: "a video of 0:47", path: "/watch/x" },
        { id: "y", who: PEOPLE.ann.name, words: "They will ripen by Sunday", path: "/with/ann" },
      ],
    },
  ),
  "watch/words": watch(
    { kind: "ready" },
    { message: { ...MESSAGE, isText: true, picture: null, bytes: null, caption: "See you at six." }, playback: null },
  ),
  "watch/cut-off": watch({ kind: "cut-off", atMs: 72_000 }, { playback: at(72_000) }),
  "watch/damaged": watch({ kind: "damaged", atMs: 31_000 }, { playback: at(31_000) }),
  "watch/new-key": watch({ kind: "ready" }, { message: { ...MESSAGE, from: PEOPLE.theo } }),
  "watch/tampered": refused("details-swapped"),
  "watch/unsigned": refused("sender-not-signed"),
  "watch/passed-on": watch(
    { kind: "ready" },
    { message: { ...MESSAGE, passedBy: PEOPLE.joseph, playedAt: ago(5) }, dealing: { ...DEALING, kept: true } },
  ),
  "watch/forward": after(watch({ kind: "ready" }), press("next")),
  "watch/report": after(watch({ kind: "ready" }), press("care")),
  "watch/caller": watch(
    { kind: "ready" },
    { message: { ...MESSAGE, from: null, caller: "Hedy", mayReply: true, picture: STILLS.ann } },
  ),
  "watch/cannot-open": refused("envelope-no-match"),
  "watch/gone": refused("message-gone"),
  "watch/offline": watch({ kind: "offline" }, { playback: null }),
  "sent/loading": sent({ state: { kind: "loading" }, items: [], outgoing: [] }),
  "sent/empty": sent({ items: [], outgoing: [] }),
  "sent/ready": sent({}),
  "sent/taken": sent({ taken: "Ann Adeyemi" }),
  "sent/offline": sent({ state: { kind: "offline" }, outgoing: [{ ...OUTGOING, held: "offline" }] }),
  "sent/failed": sent({ state: { kind: "failed", failure: { code: "server-unreachable" } }, outgoing: [] }),
};
