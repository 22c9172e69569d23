import { CaptionTrack, type CaptionLine } from "./captions";

/** What a player shows and what one can do with it. {@link Playback} keeps it for a real video. */
export interface PlaybackView {
  readonly positionMs: number;
  readonly durationMs: number;
  /** Up to where it plays without waiting. */
  readonly loadedMs: number;
  readonly paused: boolean;
  readonly started: boolean;
  readonly waiting: boolean;
  readonly ended: boolean;
  readonly rate: number;
  readonly muted: boolean;
  /** Whether there are captions, and whether they are shown. */
  readonly captions: "none" | "off" | "on";
  /** What is to be read now. */
  readonly caption: string;
  /** Whether it can leave the page for a small window above the others, and whether it has. */
  readonly canFloat: boolean;
  readonly floating: boolean;
  /** Width by height of the picture. */
  readonly ratio: number;
  /** Called with the video element while it is in the page; the returned function lets it go. */
  readonly attach: (video: HTMLVideoElement) => () => void;
  toggle(): void;
  seek(positionMs: number): void;
  skip(ms: number): void;
  faster(): void;
  slower(): void;
  mute(): void;
  toggleCaptions(): void;
  float(): void;
}

/** What not every player has. */
export interface PlaybackExtras {
  readonly captions?: readonly CaptionLine[];
  /** Whether captions are shown, as the person chose last. */
  readonly captionsOn?: boolean;
  readonly onCaptions?: (on: boolean) => void;
  /** Begins by itself: the person has pressed something that means it. */
  readonly begins?: boolean;
}

export const RATES = [0.5, 0.75, 1, 1.25, 1.5, 2] as const;

/** The neighbour of a speed, without going round. */
export function nextRate(rate: number, step: 1 | -1): number {
  const at = RATES.findIndex((known) => known === rate);
  return RATES[Math.min(RATES.length - 1, Math.max(0, at + step))] ?? 1;
}

/** The end of the stretch of `buffered` in which `position` lies, in seconds. */
function loadedEnd(video: HTMLVideoElement): number {
  for (let at = 0; at < video.buffered.length; at += 1)
    if (video.buffered.start(at) <= video.currentTime + 0.1 && video.buffered.end(at) >= video.currentTime)
      return video.buffered.end(at);
  return video.currentTime;
}

/**
 * Follows one video element. The length is given, since a stream that is still arriving does not know its own.
 * @param ratio width by height, as the message says; the element's own once it is known.
 * @param open puts a source into the element and returns how to take it out.
 */
export class Playback implements PlaybackView {
  positionMs = $state(0);
  loadedMs = $state(0);
  paused = $state(true);
  started = $state(false);
  waiting = $state(false);
  ended = $state(false);
  rate = $state(1);
  ratio = $state(16 / 9);
  muted = $state(false);
  captions = $state<"none" | "off" | "on">("none");
  caption = $state("");
  canFloat = $state(false);
  floating = $state(false);
  readonly durationMs: number;
  readonly #open: (video: HTMLVideoElement) => () => void;
  readonly #extras: PlaybackExtras;
  #video: HTMLVideoElement | undefined;
  #track: CaptionTrack | undefined;

  constructor(
    durationMs: number,
    ratio: number,
    open: (video: HTMLVideoElement) => () => void,
    extras: PlaybackExtras = {},
  ) {
    this.durationMs = durationMs;
    this.ratio = ratio;
    this.#open = open;
    this.#extras = extras;
    if (extras.captions?.length) this.captions = (extras.captionsOn ?? true) ? "on" : "off";
  }

  readonly attach = (video: HTMLVideoElement): (() => void) => {
    const gone = new AbortController();
    const listen = (name: keyof HTMLVideoElementEventMap, heard: () => void): void =>
      video.addEventListener(name, heard, { signal: gone.signal });
    this.#video = video;
    video.preservesPitch = true;
    this.canFloat = document.pictureInPictureEnabled && !video.disablePictureInPicture;
    if (this.captions !== "none")
      this.#track = new CaptionTrack(video, this.#extras.captions ?? [], this.captions === "on", (text) => {
        this.caption = text;
      });
    for (const name of ["timeupdate", "seeking", "seeked", "progress", "loadedmetadata"] as const)
      listen(name, this.#look);
    for (const name of ["play", "pause", "ended", "waiting", "playing", "ratechange", "volumechange"] as const)
      listen(name, this.#look);
    listen("waiting", () => (this.waiting = true));
    listen("playing", () => (this.waiting = false));
    listen("enterpictureinpicture", () => (this.floating = true));
    listen("leavepictureinpicture", () => (this.floating = false));
    const close = this.#open(video);
    if (this.#extras.begins) this.toggle();
    return () => {
      gone.abort();
      this.#track?.close();
      close();
      this.#video = undefined;
    };
  };

  readonly #look = (): void => {
    const video = this.#video;
    if (!video) return;
    this.positionMs = Math.min(this.durationMs, video.currentTime * 1000);
    this.loadedMs = Math.min(this.durationMs, loadedEnd(video) * 1000);
    this.paused = video.paused;
    this.ended = video.ended;
    this.rate = video.playbackRate;
    this.muted = video.muted;
    if (video.videoWidth > 0) this.ratio = video.videoWidth / video.videoHeight;
    if (!video.paused) this.started = true;
  };

  toggle(): void {
    const video = this.#video;
    if (!video) return;
    if (!video.paused) return video.pause();
    this.started = true;
    // A refusal to play (no data yet, page hidden) leaves it paused, which is what is shown.
    video.play().catch(this.#look);
  }

  seek(positionMs: number): void {
    if (!this.#video) return;
    this.started = true;
    this.#video.currentTime = Math.min(this.durationMs, Math.max(0, positionMs)) / 1000;
  }

  skip(ms: number): void {
    this.seek((this.#video?.currentTime ?? 0) * 1000 + ms);
  }

  faster(): void {
    this.#changeRate(1);
  }

  slower(): void {
    this.#changeRate(-1);
  }

  /** The default, too: another source of the same video would begin with it. */
  #changeRate(step: 1 | -1): void {
    const video = this.#video;
    // The element's own, which is ahead of what is shown when keys are pressed quickly.
    if (video) video.playbackRate = video.defaultPlaybackRate = nextRate(video.playbackRate, step);
  }

  mute(): void {
    if (this.#video) this.#video.muted = !this.#video.muted;
  }

  toggleCaptions(): void {
    if (this.captions === "none") return;
    this.captions = this.captions === "on" ? "off" : "on";
    this.#track?.show(this.captions === "on");
    this.#extras.onCaptions?.(this.captions === "on");
  }

  float(): void {
    if (!this.#video || !this.canFloat) return;
    // Refused without a press, or before anything can be shown: then it stays where it is.
    if (document.pictureInPictureElement === this.#video) document.exitPictureInPicture().catch(() => undefined);
    else this.#video.requestPictureInPicture().catch(() => undefined);
  }
}
