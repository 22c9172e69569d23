/** The operator's desk in its states. */

import Desk from "../screens/desk/Desk.svelte";
import DeviceDoctor from "../screens/desk/DeviceDoctor.svelte";
import type { DeskProps, DeskView, DeviceDoctorProps, Outcome, Trial } from "../screens/desk/props";
import { exhibit, nothing, type Exhibit } from "./exhibit";
import { ago, DAYS_AGO, frame, NOW } from "./people";

const REPORTS: DeskView["reports"] = [
  {
    id: "rep_1",
    state: "open",
    reason: "harassment",
    note: "Again and again, though I asked him to stop.",
    reporter: "claire",
    sender: "joseph",
    message: "msg_1",
    received_at: DAYS_AGO(1),
    created_at: ago(60),
    decision: "",
    decided_at: null,
  },
];
const DESK_VIEW: DeskView = {
  health: [
    { name: "address", state: "good", text: "https://post.example", cure: "", value: null },
    { name: "disk", state: "poor", text: "8.1 GiB of 100.0 GiB free", cure: "", value: 8.7e9 },
    {
      ...{ name: "mail", state: "bad", cure: "", value: null },
      text: "the mail server does not take us: [Errno 111] Connection refused",
    },
    { name: "backup", state: "good", text: "5 hours ago", cure: "", value: 18_000 },
    { name: "check", state: "poor", text: "the data were never checked", cure: "", value: null },
    { name: "certificate", state: "good", text: "good for 61 more days", cure: "", value: 61 },
    { name: "work", state: "bad", text: "work waits for 12 minutes", cure: "", value: 720 },
    { name: "witnesses", state: "good", text: "each of 2 answers and has signed", cure: "", value: null },
  ],
  usage: {
    accounts: 31,
    messages: 412,
    blob_bytes: 6.1e9,
    free_bytes: 8.7e9,
    uploads_active: 1,
    sessions: 58,
    days: Array.from({ length: 30 }, (_, at) => ({
      at: DAYS_AGO(30 - at),
      messages: (at * 7) % 13,
      bytes: ((at * 7) % 13) * 9e6,
      people: (at * 5) % 9,
    })),
  },
  reports: REPORTS,
};

const desk = (more: Partial<DeskProps>): Exhibit =>
  exhibit(Desk, {
    frame: frame(),
    state: { kind: "ready", desk: DESK_VIEW },
    all: false,
    onall: nothing,
    working: null,
    refused: null,
    disclosed: null,
    playback: null,
    now: NOW,
    ondecide: nothing,
    onopen: nothing,
    onhide: nothing,
    onretry: nothing,
    ...more,
  });

const tried = (states: readonly Outcome["state"][]): DeviceDoctorProps["outcomes"] => {
  const trials: readonly Trial[] = ["secure", "camera", "clock", "upload", "range", "live", "push"];
  return Object.fromEntries(trials.map((trial, at) => [trial, { state: states[at] ?? "waiting" }])) as Record<
    Trial,
    Outcome
  >;
};
const doctor = (states: readonly Outcome["state"][], running = false): Exhibit =>
  exhibit(DeviceDoctor, { frame: frame(), outcomes: tried(states), running, onrun: nothing });

export const DESK: Record<string, Exhibit> = {
  "desk/loading": desk({ state: { kind: "loading" } }),
  "desk/ready": desk({}),
  "desk/reporter-gone": desk({
    state: { kind: "ready", desk: { ...DESK_VIEW, reports: REPORTS.map((each) => ({ ...each, reporter: null })) } },
  }),
  "desk/quiet": desk({ state: { kind: "ready", desk: { ...DESK_VIEW, reports: [] } } }),
  "desk/decided": desk({
    all: true,
    state: {
      kind: "ready",
      desk: {
        ...DESK_VIEW,
        reports: REPORTS.map((each) => ({ ...each, state: "banned", decision: "Threats", decided_at: ago(10) })),
      },
    },
  }),
  "desk/offline": desk({ state: { kind: "offline" } }),
  "desk/closed": desk({ state: { kind: "closed" } }),
  "desk/no-passkey": desk({ state: { kind: "failed", failure: { code: "passkey-needed" } } }),
  "doctor/trying": doctor(["good", "good", "good", "running"], true),
  "doctor/well": doctor(["good", "good", "good", "good", "good", "good", "good"]),
  "doctor/held-back": doctor(["poor", "good", "poor", "good", "bad", "bad", "poor"]),
};
