import RecordScreen from "../screens/record/Record.svelte";
import { lateWords } from "../screens/plan/words";
import type { DeviceNews, DevicesView, Device, RecordProps, RecordState } from "../screens/record/props";
import Review from "../screens/review/Review.svelte";
import type { ReviewProps } from "../screens/review/props";
import { opens, SHUT_HERE } from "./opens";
import { after, exhibit, nothing, press, type Exhibit } from "./exhibit";
import { NOW, PEOPLE, STILLS, ago, camera, frame, still } from "./people";
import { PAID } from "./plan";

const FRONT: Device = { id: "1", label: "Front camera", facing: "front" };
const REAR: Device = { id: "2", label: "Rear camera", facing: "rear" };
const BUILT_IN: Device = { id: "3", label: "Built-in microphone", facing: null };
const HEADSET: Device = { id: "4", label: "Headset", facing: null };
const DEVICES: DevicesView = {
  cameras: [FRONT, REAR],
  microphones: [BUILT_IN, HEADSET],
  camera: FRONT,
  microphone: BUILT_IN,
  news: null,
  screen: "off",
  screenFailure: null,
};
const told = (news: Partial<DeviceNews>, more: Partial<DevicesView> = {}): Partial<RecordProps> => ({
  devices: {
    ...DEVICES,
    news: { what: "camera-switched", name: "Front camera", before: "Studio camera", why: "unplugged", ...news },
    ...more,
  },
});

const record = (state: RecordState, more: Partial<RecordProps> = {}): Exhibit => {
  const blind = ["asking", "denied", "none", "busy", "insecure", "unsupported", "importing", "file-refused"];
  const sees = !blind.includes(state.kind);
  return async (target) => {
    const stream = await camera();
    return exhibit(RecordScreen, {
      state,
      stream: sees ? stream : null,
      devices: DEVICES,
      level: sees ? 0.6 : null,
      unheard: false,
      limitMs: 180_000,
      to: null,
      offline: false,
      roomS: null,
      countdown: true,
      aside: false,
      letters: true,
      onstart: nothing,
      onstop: nothing,
      onpause: nothing,
      onresume: nothing,
      onback: nothing,
      oncamera: nothing,
      onmicrophone: nothing,
      onturn: nothing,
      onnextmicrophone: nothing,
      onscreen: nothing,
      oncountdown: nothing,
      onfile: nothing,
      onfileas: nothing,
      onfilecancel: nothing,
      oncancel: nothing,
      onclose: nothing,
      onretry: nothing,
      onreview: nothing,
      onagain: nothing,
      onsave: nothing,
      ...more,
    })(target);
  };
};

const review = (state: ReviewProps["state"], more: Partial<ReviewProps> = {}): Exhibit =>
  exhibit(Review, {
    frame: frame(0),
    state,
    playback: state.kind === "opening" ? null : still(88_000),
    picture: STILLS.claire,
    people: Object.values(PEOPLE),
    groups: [{ id: "grp_a", name: "Family", members: [PEOPLE.ann, PEOPLE.theo] }],
    recipients: ["ann", "joseph"],
    caption: "Theo’s first goal, from this morning",
    captionBytes: 32_768,
    terms: { lasts: null, once: false, mayForward: false },
    opens: opens(null),
    onterms: nothing,
    onlink: nothing,
    adding: { kind: "idle" },
    saving: null,
    now: NOW,
    editing: { trimming: null, failure: null, captions: null, done: null },
    isHere: true,
    replaced: false,
    ontrim: nothing,
    ontrimcancel: nothing,
    onposter: nothing,
    oncaptions: async () => Promise.resolve(true),
    onbringback: nothing,
    onaddress: nothing,
    onrecipients: nothing,
    oncaption: nothing,
    onadd: nothing,
    onsend: nothing,
    onagain: nothing,
    ondiscard: nothing,
    onsave: nothing,
    onretry: nothing,
    onundo: nothing,
    ondone: nothing,
    ...more,
  });

const recording = { kind: "recording", keptMs: 46_000, storedMs: 44_000, notice: null, paused: null } as const;
const sending = { kind: "sending", percent: 82.6, storedBytes: 18.2e6, totalBytes: 22e6, held: null } as const;

export const BOOTH: Record<string, Exhibit> = {
  "record/asking": record({ kind: "asking" }),
  "record/denied": record({ kind: "denied" }),
  "record/none": record({ kind: "none" }),
  "record/busy": record({ kind: "busy" }),
  "record/insecure": record({ kind: "insecure" }),
  "record/unsupported": record({ kind: "unsupported" }),
  "record/ready": record({ kind: "ready" }),
  "record/answer": record({ kind: "ready" }, { to: PEOPLE.ann }),
  "record/unheard": record({ kind: "ready" }, { unheard: true, level: 0 }),
  "record/no-microphone": record(
    { kind: "ready" },
    { level: null, devices: { ...DEVICES, microphones: [], microphone: null } },
  ),
  "record/before-full": record({ kind: "ready" }, { roomS: 40 }),
  "record/three-left": record({ kind: "ready" }, { videosLeft: 3 }),
  "record/none-left": record({ kind: "ready" }, { videosLeft: 0 }),
  "record/payment-late": record({ kind: "ready" }, { planLate: lateWords({ ...PAID, state: "late" }, NOW) }),
  "record/not-open": record({ kind: "ready" }, { opens: opens(SHUT_HERE) }),
  "record/aside": record({ kind: "ready" }, { aside: true }),
  "record/before-offline": record({ kind: "ready" }, { offline: true }),
  "record/counting": record({ kind: "counting", seconds: 2 }),
  "record/beep": record({ kind: "beep" }, { to: PEOPLE.ann }),
  "record/recording": record(recording),
  "record/paused": record({ ...recording, keptMs: 88_000, storedMs: 88_000, paused: "person" }),
  "record/paused-call": record({ ...recording, paused: "call" }),
  "record/paused-hidden": record({ ...recording, paused: "hidden" }),
  "record/switched": record(recording, told({ name: "Rear camera", why: "chosen" }, { camera: REAR })),
  "record/lost": record(recording, told({})),
  "record/blind": record(recording, told({ what: "camera-lost", why: null }, { cameras: [], camera: null })),
  "record/mute": record(recording, {
    ...told({ what: "microphone-lost", why: null }, { microphones: [], microphone: null }),
    level: null,
  }),
  "record/not-opened": record({ kind: "ready" }, told({ what: "camera-refused", name: "Rear camera", why: null })),
  "record/screen": record({ kind: "ready" }, { devices: { ...DEVICES, screen: "on" } }),
  "record/screen-ended": record(recording, told({ what: "screen-ended", why: null })),
  "record/screen-failed": record(
    { kind: "ready" },
    { devices: { ...DEVICES, screenFailure: { code: "screen-failed" } } },
  ),
  "record/smaller": record({ ...recording, notice: "smaller" }),
  "record/importing": record({ kind: "importing", name: "Theo at the match.mov", done: 0.42 }),
  "record/file-long": record({ kind: "file-refused", code: "file-too-long", facts: { ms: 412_000 } }),
  "record/file-codec": record({ kind: "file-refused", code: "file-undecodable", facts: { codec: "hevc" } }),
  "record/file-sound": record({
    kind: "file-refused",
    code: "file-undecodable",
    facts: { codec: "ac3", track: "sound" },
  }),
  "record/offline": record({ ...recording, keptMs: 139_000, storedMs: 90_000, notice: "offline" }),
  "record/silent": record({ ...recording, notice: "silent" }),
  "record/nearly-full": record({ ...recording, notice: "device-nearly-full" }, { roomS: 40 }),
  "record/finishing": record({ kind: "finishing", keptMs: 88_000 }),
  "record/limit": record({ kind: "stopped", why: "limit", keptMs: 180_000, storedMs: 180_000 }),
  "record/full": record({ kind: "stopped", why: "device-full", keptMs: 92_000, storedMs: 92_000 }),
  "review/opening": review({ kind: "opening" }),
  "review/terms": after(review({ kind: "ready" }, { terms: { lasts: 7, once: true, mayForward: false } }), (target) =>
    target.querySelector("details")?.setAttribute("open", ""),
  ),
  "review/empty": review({ kind: "ready" }, { recipients: [], caption: "", people: [] }),
  "review/ready": review({ kind: "ready" }),
  "review/cleared": review({ kind: "ready" }, { isHere: false, playback: null }),
  "review/playing": review(
    { kind: "ready" },
    { playback: still(88_000, { positionMs: 29_000, started: true, paused: false, rate: 1.25 }) },
  ),
  "review/sending": review(sending),
  "review/offline": review({ ...sending, held: "offline" }),
  "review/server-full": review({ ...sending, held: "server-full" }),
  "review/failed": review(
    { kind: "failed", failure: { code: "not-on-this-device" }, refused: false },
    { playback: null, picture: null },
  ),
  "review/not-open": review({ kind: "ready" }, { opens: opens(SHUT_HERE) }),
  "review/not-open-refused": review(
    { kind: "failed", failure: { code: "not-available-yet" }, refused: true },
    { opens: opens({ ...SHUT_HERE, waiting: true }) },
  ),
  "review/refused": review({ kind: "failed", failure: { code: "no-such-recipient" }, refused: true }),
  "review/trimming": review(
    { kind: "ready" },
    { editing: { trimming: 0.42, failure: null, captions: null, done: null } },
  ),
  "review/poster": review(
    { kind: "ready" },
    { editing: { trimming: null, failure: null, captions: null, done: "poster" } },
  ),
  "review/not-cut": review(
    { kind: "ready" },
    {
      editing: {
        trimming: null,
        failure: { what: "trim", code: "device-full", line: null },
        captions: null,
        done: null,
      },
    },
  ),
  "review/captions": after(review({ kind: "ready" }), press("caption")),
  "review/captions-wrong": after(
    review(
      { kind: "ready" },
      {
        editing: {
          trimming: null,
          failure: { what: "captions", code: "captions-malformed", line: 4 },
          captions: "WEBVTT\n\n00:01.000 --> 00:03.500\nHe scored.\n",
          done: null,
        },
      },
    ),
    press("caption"),
  ),
  "review/recipients": after(review({ kind: "ready" }), press("plus")),
  "review/deleting": after(review({ kind: "ready" }), press("trash")),
  "review/replaced": review({ kind: "ready" }, { replaced: true }),
  "review/sent": review({
    kind: "sent",
    keptAt: ago(5),
    storedAt: ago(3),
    totalBytes: 22e6,
    deliveries: [
      { person: PEOPLE.ann, deliveredAt: ago(2), playedAt: null },
      { person: PEOPLE.joseph, deliveredAt: null, playedAt: null },
    ],
  }),
};
