/** A line that is shown from one time to another. */
export interface CaptionLine {
  readonly fromMs: number;
  readonly toMs: number;
  /** Plain text; lines are separated by newlines. */
  readonly text: string;
}

/** What Safari adds: its own full screen and floating window, which show nothing of the page. */
type Presented = HTMLVideoElement & { webkitDisplayingFullscreen?: boolean };

/**
 * A text track on a video. The page draws the lines on a plate of its own; where the video stands outside of the page (floating, or in
 * the full screen of an iPhone) the browser draws them.
 */
export class CaptionTrack {
  readonly #video: Presented;
  readonly #track: TextTrack;
  readonly #gone = new AbortController();
  readonly #texts = new Map<TextTrackCue, string>();
  readonly #onText: (text: string) => void;
  #isShown: boolean;

  /** @param onText what is to be shown now; empty between two lines. */
  constructor(
    video: HTMLVideoElement,
    lines: readonly CaptionLine[],
    isShown: boolean,
    onText: (text: string) => void,
  ) {
    this.#video = video;
    this.#track = video.addTextTrack("captions");
    this.#onText = onText;
    this.#isShown = isShown;
    this.#track.mode = "hidden"; // a disabled one takes no lines
    for (const { fromMs, toMs, text } of lines) {
      const cue = new VTTCue(fromMs / 1000, toMs / 1000, escaped(text));
      this.#texts.set(cue, text);
      this.#track.addCue(cue);
    }
    const { signal } = this.#gone;
    this.#track.addEventListener("cuechange", () => this.#tell(), { signal });
    for (const name of [
      "enterpictureinpicture",
      "leavepictureinpicture",
      "webkitbeginfullscreen",
      "webkitendfullscreen",
    ])
      video.addEventListener(name, () => this.#apply(), { signal });
    this.#apply();
  }

  show(isShown: boolean): void {
    this.#isShown = isShown;
    this.#apply();
  }

  /** A track cannot be taken from its video again: it is emptied. */
  close(): void {
    this.#gone.abort();
    this.#track.mode = "hidden";
    for (const cue of this.#texts.keys()) this.#track.removeCue(cue);
    this.#track.mode = "disabled";
  }

  #apply(): void {
    const isOutside =
      document.pictureInPictureElement === this.#video || this.#video.webkitDisplayingFullscreen === true;
    this.#track.mode = !this.#isShown ? "disabled" : isOutside ? "showing" : "hidden";
    if (!this.#isShown) this.#onText("");
  }

  #tell(): void {
    const active = [...(this.#track.activeCues ?? [])].map((cue) => this.#texts.get(cue) ?? "");
    this.#onText(active.join("\n"));
  }
}

/** What is written is shown as it is: nothing in it is markup. */
function escaped(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
