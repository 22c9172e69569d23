import { b64 } from "../../src/protocol/encoding";
import { openDatabase } from "../../src/storage/db";
import { Drafts } from "../../src/storage/drafts";
import { spoolIds } from "../../src/storage/spool";
import { bringUp } from "../../src/take/bringers";
import { setCaptions, setPoster, trimDraft } from "../../src/take/editing";
import { exportDraft, openDraftVideo } from "../../src/take/export";
import { importFile, type ImportOptions } from "../../src/take/importing";
import { openCapture, type Capture } from "../../src/media/capture";
import { openScreen, type SharedScreen } from "../../src/media/screen";
import { discardDraft, findDrafts, sweepSpools } from "../../src/take/recovery";
import { Take } from "../../src/take/take";

/** What a test asks of the page; every answer is plain data. */
const ACCT = "harness@here";
const progress: number[] = [];
const heard: string[] = [];
let cancelling = new AbortController();

interface Refusal {
  code: string;
  facts?: object;
  line?: number | null;
}

async function coded<T>(work: () => Promise<T>): Promise<T | Refusal> {
  progress.length = 0;
  cancelling = new AbortController();
  try {
    return await work();
  } catch (error) {
    const { name, code, facts, line } = error as Error & Partial<Refusal>;
    return {
      code: typeof code === "string" ? code : name,
      ...(facts === undefined ? {} : { facts }),
      ...(line === undefined ? {} : { line }),
    };
  }
}

function watched() {
  return { onProgress: (done: number) => void progress.push(done), signal: cancelling.signal };
}

function chosen(): File {
  const [file] = document.querySelector<HTMLInputElement>("#file")?.files ?? [];
  if (!file) throw new TypeError("choose a file first");
  return file;
}

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return b64(new Uint8Array(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer()));
}

let shared: SharedScreen | null = null;
let screenTracks: MediaStreamTrack[] = [];
let capture: Capture | null = null;
let recorded: Take | null = null;

/** A stand-in for a screen: red, with a beep, at 10 pictures a second. */
async function redScreen(): Promise<MediaStream> {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: 1600, height: 900 });
  const context = canvas.getContext("2d");
  const paint = (): void => {
    if (!context) return;
    context.fillStyle = "#f00";
    context.fillRect(0, 0, canvas.width, canvas.height);
  };
  paint();
  setInterval(paint, 100);
  const audio = new AudioContext();
  const tone = new OscillatorNode(audio, { frequency: 2000 });
  const out = audio.createMediaStreamDestination();
  tone.connect(out);
  tone.start();
  screenTracks = [...canvas.captureStream(10).getTracks(), ...out.stream.getTracks()];
  return Promise.resolve(new MediaStream(screenTracks));
}

const screen = {
  /** Shares what the browser gives, or the stand-in, beside the fake camera. */
  share: async (isStandIn: boolean) =>
    coded(async () => {
      capture = await openCapture({ width: 640, height: 480 });
      const size = { width: 640, height: 360 };
      shared = await openScreen(capture, isStandIn ? { ...size, ask: redScreen } : size);
      shared.onNews = ({ kind }) => void heard.push(kind);
      return { hasSound: shared.hasSound };
    }),
  record: () => {
    if (shared === null) throw new TypeError("share first");
    recorded = Take.start(shared, { acct: ACCT, size: { width: 640, height: 360 } });
    return recorded.id;
  },
  state: () => recorded?.state,
  stopTake: async () => coded(async () => recorded?.stop()),
  /** As the browser's own button does. */
  stopSharing: () => {
    const [track] = screenTracks;
    track?.stop();
    track?.dispatchEvent(new Event("ended"));
  },
  heard: () => heard,
};

const harness = {
  ...screen,
  take: async (options: Partial<ImportOptions> = {}) =>
    coded(async () => importFile(chosen(), { acct: ACCT, ...watched(), ...options })),
  trim: async (id: string, fromMs: number, toMs: number) =>
    coded(async () => trimDraft(id, { fromMs, toMs }, watched())),
  poster: async (id: string, ms: number) => (await coded(async () => setPoster(id, ms))) ?? null,
  captions: async (id: string, text: string | null) => coded(async () => setCaptions(id, text)),
  cancel: () => cancelling.abort(),
  progress: () => progress,
  draft: async (id: string) => (await new Drafts(await openDatabase()).get(id)).content,
  drafts: async () => findDrafts(ACCT),
  spools: async () => spoolIds(),
  sweep: async () => sweepSpools(),
  /** The MP4 as it was sealed, padding and all. */
  plain: async (id: string) => bytesOf((await openDraftVideo(id)).stream(0)),
  exported: async (id: string) => bytesOf((await exportDraft(id)).stream()),
  /** How long a person waits for the file, in milliseconds. */
  exportMs: async (id: string) => {
    const begun = performance.now();
    await exportDraft(id);
    return performance.now() - begun;
  },
  bring: async (id: string) => coded(async () => bringUp(id, () => undefined, new AbortController().signal)),
  drop: async (id: string) => coded(async () => discardDraft(id)),
};
Object.assign(globalThis, { harness });
