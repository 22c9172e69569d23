import { m } from "../../i18n/messages";
import { failureWords, type FailureWords } from "../failures";
import { fileWords } from "../record/news-words";
import type { EditFailureView } from "./props";

/** Why a cut, a picture or captions were not taken. The take is as it was. */
export function editWords(failure: EditFailureView): FailureWords {
  const { code, line } = failure;
  if (code === "captions-empty") return { title: m.captions_empty(), text: m.captions_empty_text() };
  if (code === "captions-too-large") return { title: m.captions_large(), text: m.captions_large_text() };
  if (code === "captions-late") return { title: m.captions_late({ line: line ?? 1 }), text: m.captions_late_text() };
  if (code === "captions-malformed") {
    return { title: m.captions_wrong({ line: line ?? 1 }), text: m.captions_wrong_text() };
  }
  if (/^(?:file-|cut-)/u.test(code)) {
    const { title, text = "" } = fileWords(code, {});
    return { title, text };
  }
  return failureWords(failure);
}
