import { m } from "../../i18n/messages";
import type { IconName } from "../../ui/icons";
import { failureSentence } from "../failures";
import { clock, left } from "../format";
import { opensWords } from "../sign-up/opens-words";
import type { ClosedReason, RecordNotice, RecordProps, RecordState, StopReason } from "./props";

/** When the time left is spoken, in whole seconds. */
const SPOKEN_AT_S = [60, 30, 10];

export interface NoticeWords {
  kind: "plain" | "care" | "bad";
  icon?: IconName;
  title: string;
  text?: string;
}

export function takenMs(state: RecordState): number {
  return "keptMs" in state ? state.keptMs : 0;
}

/** `2:14 left`, or the length of what was stopped. */
export function plateWords(state: RecordState, limitMs: number): string | null {
  if (state.kind === "recording") return m.record_left({ time: left(limitMs - state.keptMs) });
  if (state.kind === "stopped" || state.kind === "finishing") return clock(state.keptMs);
  return null;
}

/** Spoken only as 1:00, 0:30 and 0:10 are passed; each stays until the next. */
export function spokenWords(state: RecordState, limitMs: number): string {
  if (state.kind !== "recording") return "";
  const seconds = Math.ceil((limitMs - state.keptMs) / 1000);
  const passed = SPOKEN_AT_S.filter((mark) => seconds <= mark).at(-1);
  return passed === undefined ? "" : m.record_left_spoken({ seconds: passed });
}

/** The line that says what is safe and where. */
export function truthWords(props: Pick<RecordProps, "state" | "to" | "limitMs">): string {
  const { state } = props;
  switch (state.kind) {
    case "counting":
      return m.record_counting({ seconds: state.seconds });
    case "beep":
      return props.to ? m.record_beep_to({ name: props.to.name }) : m.record_beep();
    case "recording":
      return keptWords(state);
    case "finishing":
      return m.record_finishing();
    case "stopped":
      return state.storedMs >= state.keptMs
        ? m.record_all_stored({ kept: clock(state.keptMs) })
        : m.record_stopped_kept({ kept: clock(state.keptMs), stored: clock(state.storedMs) });
    case "ready":
    case "asking":
      return m.record_before({ count: Math.round(props.limitMs / 60_000) });
    case "importing":
      return m.import_here();
    default:
      return m.record_nothing();
  }
}

function keptWords({ keptMs, storedMs, notice, paused }: Extract<RecordState, { kind: "recording" }>): string {
  const times = { kept: clock(keptMs), stored: clock(storedMs) };
  if (paused !== null && storedMs >= keptMs) return m.record_paused_stored(times);
  if (paused !== null) return m.record_paused_kept(times);
  return notice === "offline" ? m.record_kept_offline(times) : m.record_kept(times);
}

export function noticeWords(notice: RecordNotice, roomS: number | null): NoticeWords {
  switch (notice) {
    case "offline":
      return { kind: "plain", icon: "offline", title: m.fail_offline(), text: m.record_offline() };
    case "silent":
      return { kind: "care", icon: "mic", title: m.record_silent(), text: m.record_silent_text() };
    case "device-nearly-full":
      return { kind: "care", title: m.record_nearly_full({ count: roomS ?? 0 }), text: m.record_nearly_full_text() };
    case "plan":
      return { kind: "care", title: m.fail_plan(), text: m.fail_plan_text() };
    case "server-full":
      return { kind: "care", icon: "stored", title: m.fail_server_full(), text: m.fail_server_full_text() };
    case "signed-out":
      return { kind: "care", icon: "key", title: m.fail_signed_out(), text: m.record_signed_out() };
    case "smaller":
      return { kind: "plain", icon: "camera", title: m.record_smaller(), text: m.record_smaller_text() };
  }
}

/** Worth knowing before a recording; nothing of it hinders one. */
type Before = Pick<RecordProps, "roomS" | "unheard" | "offline" | "level" | "videosLeft" | "planLate" | "opens">;

export function beforeWords(props: Before): NoticeWords | null {
  if (props.roomS !== null) {
    const [title, text] = [m.record_nearly_full({ count: props.roomS }), m.record_before_full()];
    return { kind: "care", title, text };
  }
  const shut = shutWords(props);
  if (shut) return shut;
  if (props.videosLeft === 0) return { kind: "care", title: m.plan_before_full(), text: m.plan_before_full_text() };
  if (props.planLate) return props.planLate;
  if (props.level === null) {
    return { kind: "care", icon: "mic", title: m.record_no_mic(), text: m.record_no_mic_text() };
  }
  if (props.unheard) return { kind: "care", icon: "mic", title: m.record_unheard(), text: m.record_unheard_text() };
  return props.offline
    ? { kind: "plain", icon: "offline", title: m.fail_offline(), text: m.record_before_offline() }
    : null;
}

/** What is not open here, why and until when; null: it is open, or nobody knows. */
export function shutWords({ opens }: Pick<RecordProps, "opens">): NoticeWords | null {
  if (!opens?.opens || opens.opens.allowed) return null;
  const { title, text } = opensWords(opens.opens);
  const also = opens.refused ? failureSentence(opens.refused.failure) : m.opens_record();
  return { kind: "plain", icon: "clock", title, text: `${text} ${also}` };
}

/** Why the take stands still, when it was not the person who wished it. */
export function pausedWords(why: "call" | "hidden"): NoticeWords {
  return why === "call"
    ? { kind: "care", icon: "pause", title: m.record_paused_call(), text: m.record_paused_by() }
    : { kind: "care", icon: "pause", title: m.record_paused_hidden(), text: m.record_paused_by() };
}

export function stopWords(why: StopReason): NoticeWords {
  switch (why) {
    case "limit":
      return { kind: "plain", icon: "check", title: m.record_limit(), text: m.record_limit_text() };
    case "device-full":
      return { kind: "care", title: m.fail_device_full(), text: m.record_full_text() };
    case "encoder":
      return { kind: "care", title: m.record_encoder(), text: m.record_encoder_text() };
  }
}

/** Why there is no picture, and what to do. */
export function closedWords(kind: ClosedReason): NoticeWords {
  switch (kind) {
    case "denied":
      return { kind: "bad", icon: "camera-off", title: m.record_denied(), text: m.record_denied_text() };
    case "none":
      return { kind: "care", icon: "camera-off", title: m.record_none(), text: m.record_none_text() };
    case "busy":
      return { kind: "care", icon: "camera-off", title: m.record_busy(), text: m.record_busy_text() };
    case "insecure":
      return { kind: "care", icon: "camera-off", title: m.record_insecure(), text: m.record_insecure_text() };
    case "unsupported":
      return { kind: "care", icon: "camera-off", title: m.record_unsupported(), text: m.record_unsupported_text() };
  }
}

export function closedReason({ kind }: RecordState): ClosedReason | null {
  const isClosed =
    kind === "denied" || kind === "none" || kind === "busy" || kind === "insecure" || kind === "unsupported";
  return isClosed ? kind : null;
}
