import { type Capture, type CaptureNews, CaptureRefused, openCapture, type Level } from "../../src/media/capture.ts";
import type { EncodeOptions } from "../../src/media/encode.ts";
import { recordTake } from "../../src/media/recorder-fallback.ts";
import { scriptUrl } from "../../src/protocol/trusted.ts";
import type { Order } from "./media-worker.ts";
import workerPath from "./media-worker.ts?worker&url";
import * as devices from "./media-devices.ts";
import { beepAndFlash } from "./media-fake.ts";
import type { StandIn } from "./media-stand-ins.ts";
import * as playing from "./media-playing.ts";

interface Done {
  kind: "done";
  result: { poster: { type: string; data: Uint8Array } | null };
  bytes: ArrayBuffer;
}
type Answer =
  | Done
  | { kind: "started" }
  | { kind: "ended"; end: string }
  | { kind: "failed"; code: string }
  | { kind: "eval" }
  | { kind: "progress"; ms: number; steps: number };

let capture: Capture | null = null;
let worker: Worker | null = null;
let levels: Level[] = [];
let ended: string[] = [];
let told: (CaptureNews & { at: number })[] = [];

async function open(wish: { width: number; height: number }): Promise<unknown> {
  capture?.close();
  try {
    capture = await openCapture(wish);
  } catch (error) {
    if (error instanceof CaptureRefused) return { refused: error.code };
    throw error;
  }
  levels = [];
  ended = [];
  told = [];
  capture.onLevel = (level) => levels.push(level);
  capture.onNews = (news) => {
    ended.push(news.kind);
    told.push({ ...news, at: performance.now() });
    const shown = document.querySelector<HTMLVideoElement>("#preview");
    if (shown && capture) shown.srcObject = capture.stream;
  };
  const preview = document.querySelector<HTMLVideoElement>("#preview");
  if (preview) {
    preview.srcObject = capture.stream;
    await preview.play();
  }
  return { size: capture.size, devices: capture.devices, hasMicrophone: capture.hasMicrophone };
}

function order(message: Order, transfer: Transferable[] = []): void {
  worker ??= new Worker(scriptUrl(workerPath), { type: "module" });
  worker.postMessage(message, transfer);
}

function answer(...kinds: Answer["kind"][]): Promise<Answer> {
  return new Promise((resolve, reject) => {
    worker?.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
      if (kinds.includes(data.kind) || data.kind === "failed") resolve(data);
    });
    worker?.addEventListener("error", (event) => reject(new Error(event.message)));
  });
}

async function start(
  options: EncodeOptions & { refuseAfterBytes?: number } = {},
  standIn: StandIn = {},
): Promise<unknown> {
  if (!capture) throw new TypeError("open first");
  worker = null;
  const { refuseAfterBytes, ...rest } = options;
  const limit = refuseAfterBytes === undefined ? { standIn } : { refuseAfterBytes, standIn };
  order(
    { kind: "record", source: { video: capture.video, audio: capture.audio, options: rest }, ...limit },
    capture.transfer,
  );
  return answer("started");
}

async function stop(name: string): Promise<unknown> {
  order({ kind: "stop" });
  const result = await delivered(name, await answer("done"));
  worker?.terminate();
  worker = null;
  capture?.renew();
  return result;
}

async function simulate(name: string, simulation: object, options: EncodeOptions = {}): Promise<unknown> {
  worker = null;
  order({ kind: "simulate", simulation, options } as Order);
  const done = await answer("done");
  worker = null;
  return delivered(name, done);
}

/** Hands the file and its poster to the test; the rest is the answer. */
async function delivered(name: string, done: Answer): Promise<unknown> {
  if (done.kind !== "done") return done;
  await put(`${name}.mp4`, done.bytes);
  const { poster, ...result } = done.result;
  if (poster) await put(`${name}.${poster.type.split("/")[1] ?? ""}`, poster.data as BlobPart);
  return { ...done, bytes: undefined, result: { ...result, poster: poster?.type, posterBytes: poster?.data.length } };
}

async function put(name: string, body: BlobPart): Promise<void> {
  await fetch(`/out/${name}`, { method: "POST", body: new Blob([body]) });
}

/** A take by the last resort. */
async function recordByFallback(name: string, seconds: number): Promise<unknown> {
  const pieces: Uint8Array[] = [];
  const take = capture && recordTake(capture.stream, new WritableStream({ write: (bytes) => void pieces.push(bytes) }));
  if (!take) return { kind: "failed" };
  await take.started;
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const result = await take.stop();
  const bytes = await new Blob(pieces as BlobPart[]).arrayBuffer();
  return delivered(name, { kind: "done", result, bytes });
}

/** For comparing: a take that goes nowhere. */
async function recordHere(ms: number): Promise<void> {
  await start();
  await new Promise((resolve) => setTimeout(resolve, ms));
  order({ kind: "stop" });
  await answer("done");
  worker?.terminate();
  worker = null;
  capture?.renew();
}

/** For comparing: the browser's own recorder, as simple as it gets. */
async function recordPlainly(ms: number): Promise<void> {
  if (!capture) return;
  const recorder = new MediaRecorder(capture.stream, { mimeType: "video/mp4", videoBitsPerSecond: 1_500_000 });
  recorder.start(1000);
  await new Promise((resolve) => setTimeout(resolve, ms));
  const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve));
  recorder.stop();
  await stopped;
}

/** Does something with the open devices; a refusal is its answer. */
async function withCapture(work: (open: Capture) => Promise<void>): Promise<unknown> {
  if (!capture) throw new TypeError("open first");
  try {
    await work(capture);
    return found();
  } catch (error) {
    if (error instanceof CaptureRefused) return { refused: error.code };
    throw error;
  }
}

async function asked(): Promise<{ ms: number; steps: number } | null> {
  order({ kind: "progress" });
  const said = await answer("progress");
  return said.kind === "progress" ? said : null;
}

function found(): unknown {
  const { camera, cameras, microphone, microphones } = capture ?? {};
  return { camera, cameras, microphone, microphones };
}

function track(kind: "video" | "audio"): MediaStreamTrack {
  const one = capture?.stream.getTracks().find((each) => each.kind === kind);
  if (!one) throw new TypeError("no such track");
  return one;
}

const media = {
  useCamera: (id: string) => withCapture((open) => open.useCamera(id)),
  useMicrophone: (id: string) => withCapture((open) => open.useMicrophone(id)),
  flip: () => withCapture((open) => open.flip()),
  found,
  progress: async () => (await asked())?.ms,
  steps: async () => (await asked())?.steps,
  told: () => told,
  refuse: devices.refuse,
  turnCameras: devices.turnCameras,
  freezeAfter: devices.freezeAfter,
  replug: devices.replug,
  mute: (kind: "video" | "audio", isMuted: boolean) => devices.mute(track(kind), isMuted),
  unplug: (kind: "video" | "audio") => devices.unplug(track(kind)),
  hideTracks: () => Object.assign(globalThis, { MediaStreamTrackProcessor: undefined }),
  lostAt: async () =>
    new Promise<number>((resolve) => track("video").addEventListener("ended", () => resolve(performance.now()))),
  recordHere,
  recordPlainly,
  recordByFallback,
  open,
  start,
  stop,
  simulate,
  put,
  beepAndFlash,
  ...playing,
  order: (kind: "pause" | "resume" | "stall") => order({ kind }),
  ended: () => answer("ended"),
  isEvalForbidden: async () => {
    order({ kind: "eval" });
    return answer("eval");
  },
  levels: () => levels,
  losses: () => ended,
  close: () => capture?.close(),
};
Object.assign(globalThis, { media });
