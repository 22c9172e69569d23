import { m } from "../../i18n/messages";
import type { IconName } from "../../ui/icons";
import { clock } from "../format";
import { failureWords } from "../failures";
import type { DeviceNews, FileFactsView } from "./props";
import type { NoticeWords } from "./words";

/** What happened to a camera or microphone, what is in use now, what is safe. */
export function newsWords(news: DeviceNews, isRecording: boolean): NoticeWords {
  const isCamera = news.what.startsWith("camera");
  const icon: IconName = isCamera ? "camera" : "mic";
  const names = { name: news.name || m.device_unnamed(), before: news.before || m.device_unnamed() };
  switch (news.what) {
    case "camera-lost":
      return { kind: "care", icon: "camera-off", title: m.record_lost(), text: m.record_lost_text() };
    case "screen-ended":
      return { kind: "plain", icon: "screen", title: m.screen_ended(), text: m.screen_ended_text() };
    case "microphone-lost":
      return { kind: "care", icon, title: m.record_mic_lost(), text: m.record_mic_lost_text() };
    case "camera-back":
    case "microphone-back":
      return { kind: "plain", icon, title: m.device_back(names), text: goesOn(isRecording) };
    case "camera-refused":
    case "microphone-refused":
      return { kind: "care", icon, title: m.device_refused(names), text: m.device_stays(names) };
    default:
      return switched(news, names, icon, isRecording);
  }
}

/** Interrupts a reader only when nobody wished it. */
export function newsLive({ what, why }: DeviceNews): "alert" | "status" {
  return what.endsWith("-back") || why === "chosen" ? "status" : "alert";
}

function switched(
  { why }: DeviceNews,
  names: { name: string; before: string },
  icon: IconName,
  isRecording: boolean,
): NoticeWords {
  if (why === "chosen") return { kind: "plain", icon, title: m.device_now(names), text: goesOn(isRecording) };
  const text = isRecording ? m.device_went_on(names) : m.device_took(names);
  if (why === "unplugged") return { kind: "care", icon, title: m.device_unplugged(names), text };
  return { kind: "care", icon, title: m.device_held(names), text };
}

const goesOn = (isRecording: boolean): string => (isRecording ? m.device_one_piece() : m.device_ready());

/** Why a file was not taken, and what to do. */
export function fileWords(code: string, facts: FileFactsView): NoticeWords {
  const words = FILES[code]?.(facts) ?? [failureWords({ code }).title, failureWords({ code }).text];
  return { kind: "care", icon: "import", title: words[0], text: words[1] };
}

const FILES: Readonly<Record<string, (facts: FileFactsView) => [string, string]>> = {
  "file-empty": () => [m.file_empty(), m.file_empty_text()],
  "file-unknown": () => [m.file_unknown(), m.file_unknown_text()],
  "file-damaged": () => [m.file_damaged(), m.file_damaged_text()],
  "file-no-picture": () => [m.file_no_picture(), m.file_no_picture_text()],
  "file-undecodable": ({ codec = "?", track }) =>
    track === "sound"
      ? [m.file_sound({ codec: codec.toUpperCase() }), m.file_sound_text()]
      : [m.file_codec({ codec: codec.toUpperCase() }), m.file_codec_text()],
  "file-protected": () => [m.file_protected(), m.file_protected_text()],
  "file-too-long": ({ ms = 0 }) => [m.file_long({ length: clock(ms) }), m.file_long_text()],
  "file-too-heavy": () => [m.file_heavy(), m.file_heavy_text()],
  "cut-too-short": () => [m.cut_short(), m.cut_short_text()],
};
