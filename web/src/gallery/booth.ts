import RecordScreen from "../screens/record/Record.svelte";
import type { RecordProps, RecordState } from "../screens/record/props";
import Review from "../screens/review/Review.svelte";
import type { ReviewProps } from "../screens/review/props";
import { exhibit, nothing, type Exhibit } from "./exhibit";
import { NOW, PEOPLE, STILLS, ago, camera, frame, still } from "./people";

const record = (state: RecordState, more: Partial<RecordProps> = {}): Exhibit => {
  const sees = !["asking", "denied", "none", "busy", "unsupported"].includes(state.kind);
  return async (target) => {
    const stream = await camera();
    return exhibit(RecordScreen, {
      state,
      stream: sees ? stream : null,
      level: sees ? 0.6 : null,
      limitMs: 180_000,
      to: null,
      offline: false,
      roomS: null,
      letters: true,
      onstart: nothing,
      onstop: nothing,
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
    recipients: ["ann", "joseph"],
    caption: "Theo’s first goal, from this morning",
    captionBytes: 32_768,
    adding: { kind: "idle" },
    saving: null,
    now: NOW,
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

const recording = { kind: "recording", keptMs: 46_000, storedMs: 44_000, notice: null } as const;
const sending = { kind: "sending", percent: 82.6, storedBytes: 18.2e6, totalBytes: 22e6, held: null } as const;

export const BOOTH: Record<string, Exhibit> = {
  "record/asking": record({ kind: "asking" }),
  "record/denied": record({ kind: "denied" }),
  "record/none": record({ kind: "none" }),
  "record/busy": record({ kind: "busy" }),
  "record/unsupported": record({ kind: "unsupported" }),
  "record/ready": record({ kind: "ready" }),
  "record/answer": record({ kind: "ready" }, { to: PEOPLE.ann }),
  "record/before-offline": record({ kind: "ready" }, { offline: true }),
  "record/counting": record({ kind: "counting", seconds: 2 }),
  "record/beep": record({ kind: "beep" }, { to: PEOPLE.ann }),
  "record/recording": record(recording),
  "record/offline": record({ ...recording, keptMs: 139_000, storedMs: 90_000, notice: "offline" }),
  "record/silent": record({ ...recording, notice: "silent" }),
  "record/nearly-full": record({ ...recording, notice: "device-nearly-full" }, { roomS: 40 }),
  "record/finishing": record({ kind: "finishing", keptMs: 88_000 }),
  "record/limit": record({ kind: "stopped", why: "limit", keptMs: 180_000, storedMs: 180_000 }),
  "record/lost": record({ kind: "stopped", why: "camera-lost", keptMs: 61_000, storedMs: 58_000 }),
  "record/full": record({ kind: "stopped", why: "device-full", keptMs: 92_000, storedMs: 92_000 }),
  "review/opening": review({ kind: "opening" }),
  "review/empty": review({ kind: "ready" }, { recipients: [], caption: "", people: [] }),
  "review/ready": review({ kind: "ready" }),
  "review/playing": review(
    { kind: "ready" },
    { playback: still(88_000, { positionMs: 29_000, started: true, paused: false, rate: 1.25 }) },
  ),
  "review/sending": review(sending),
  "review/offline": review({ ...sending, held: "offline" }),
  "review/server-full": review({ ...sending, held: "server-full" }),
  "review/failed": review({ kind: "failed", failure: { code: "upload-gone" } }),
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
