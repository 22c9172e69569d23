import type { PlaybackView } from "../ui/playback.svelte";
import type { FrameView, PersonView } from "../screens/views";
import annUpright from "./pictures/ann-upright.svg";
import ann from "./pictures/ann.svg";
import claireUpright from "./pictures/claire-upright.svg";
import claire from "./pictures/claire.svg";
import joseph from "./pictures/joseph.svg";
import mina from "./pictures/mina.svg";
import okafor from "./pictures/okafor.svg";
import theo from "./pictures/theo.svg";

/** Sunday 22 November 2026, 14:05 in Paris. */
export const NOW = Date.UTC(2026, 10, 22, 13, 5);
const MINUTE = 60_000;
export const ago = (minutes: number): number => NOW - minutes * MINUTE;
const DAY = 24 * 60;

export const PEOPLE = {
  ann: { account: "ann", name: "Ann Adeyemi", trust: "verified" },
  joseph: { account: "joseph", name: "Joseph", trust: "none" },
  mina: { account: "mina", name: "Mina", trust: "none" },
  theo: { account: "theo-and-sam", name: "Theo and Sam", trust: "new-key" },
  okafor: { account: "dr-okafor", name: "Dr Okafor", trust: "verified" },
} as const satisfies Record<string, PersonView>;

/** The part of a scene that a stamp shows. */
const near = (picture: string): string => `${picture}#svgView(viewBox(300,0,1000,750))`;
const phone = globalThis.innerWidth < 640;

/** As a phone would film it, or a laptop. */
export const STILLS = phone ? { ann: annUpright, claire: claireUpright } : { ann, claire };
export const STAMPS = {
  ann: near(ann),
  claire: near(claire),
  joseph: near(joseph),
  mina: near(mina),
  okafor: near(okafor),
  theo: near(theo),
};
export const DAYS_AGO = (days: number): number => ago(days * DAY);

export function frame(waiting = 3): FrameView {
  return { account: "claire", waiting, offline: false, go: () => undefined, letters: true };
}

/** A player that stands still. */
export function still(durationMs: number, shown: Partial<PlaybackView> = {}): PlaybackView {
  return {
    positionMs: 0,
    durationMs,
    loadedMs: durationMs * 0.4,
    paused: true,
    started: false,
    waiting: false,
    ended: false,
    rate: 1,
    muted: false,
    captions: "none",
    caption: "",
    canFloat: false,
    floating: false,
    ratio: phone ? 3 / 4 : 16 / 10,
    attach: () => () => undefined,
    toggle: () => undefined,
    seek: () => undefined,
    skip: () => undefined,
    faster: () => undefined,
    slower: () => undefined,
    mute: () => undefined,
    toggleCaptions: () => undefined,
    float: () => undefined,
    ...shown,
  };
}

let seeing: Promise<MediaStream> | undefined;

/** A camera that always sees Claire: one for all states, which rests while nobody looks. */
export function camera(): Promise<MediaStream> {
  return (seeing ??= opened());
}

async function opened(): Promise<MediaStream> {
  const picture = new Image();
  picture.src = claire;
  await picture.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [1280, 800];
  const draw = (): void => canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  draw();
  setInterval(() => document.querySelector("video") && draw(), 200);
  return canvas.captureStream(5);
}
