import type { EncodeOptions, TakeSource } from "../../src/media/encode.ts";
import type { SoundBlock } from "../../src/media/sound.ts";

/** A camera and a microphone that run on a clock of their own, faster than real time. */
export interface Simulation {
  seconds: number;
  fps: number;
  width: number;
  height: number;
  /** Something that is hard to encode, for a film of some size. */
  isBusy?: boolean;
  /** How long a frame takes in real milliseconds. */
  paceMs?: number;
  /** Spans in seconds in which the device gives nothing. */
  cameraSilent?: [number, number];
  microphoneSilent?: [number, number];
}

const RATE = 48_000;
const BLOCK = 960;
const AHEAD_MS = 400;

/** Sound is a beep, and the picture white, in the first tenth of every second. */
function isMarked(ms: number): boolean {
  return ms % 1000 < 100;
}

export function runSimulation(
  simulation: Simulation,
  options: EncodeOptions,
): { source: TakeSource; run(): Promise<void> } {
  let clockMs = 50_000;
  const beganMs = clockMs;
  const { port1, port2 } = new MessageChannel();
  let camera: ReadableStreamDefaultController<VideoFrame> | null = null;
  let isRead = true;
  const video = new ReadableStream<VideoFrame>(
    { start: (controller) => void (camera = controller), cancel: () => void (isRead = false) },
    { highWaterMark: 100 },
  );
  const painter = new Painter(simulation);
  const step = 1000 / simulation.fps;
  let samples = 0;

  const run = async (): Promise<void> => {
    // The encoder opens in real time; until then the devices already run.
    for (let index = 0; isRead && index * step < simulation.seconds * 1000; index++) {
      const ms = index * step;
      clockMs = beganMs + ms;
      if (!within(ms, simulation.cameraSilent)) camera?.enqueue(painter.paint(ms));
      for (; (samples / RATE) * 1000 < ms; samples += BLOCK) {
        if (!within(ms, simulation.microphoneSilent)) port1.postMessage(beepBlock(samples));
      }
      await pause(index < 10 ? AHEAD_MS / 4 : (simulation.paceMs ?? 4));
    }
    if (isRead) camera?.close();
  };
  return { source: { video, audio: port2, options: { ...options, now: () => clockMs } }, run };
}

class Painter {
  readonly #canvas: OffscreenCanvas;
  readonly #context: OffscreenCanvasRenderingContext2D;

  readonly #isBusy: boolean;

  constructor({ width, height, isBusy = false }: Simulation) {
    this.#isBusy = isBusy;
    this.#canvas = new OffscreenCanvas(width, height);
    const context = this.#canvas.getContext("2d");
    if (!context) throw new TypeError("no canvas");
    this.#context = context;
  }

  paint(ms: number): VideoFrame {
    const { width, height } = this.#canvas;
    this.#context.fillStyle = isMarked(ms) ? "white" : "black";
    this.#context.fillRect(0, 0, width, height);
    this.#context.fillStyle = "gray";
    this.#context.fillText(String(Math.round(ms)), 20 + ((ms / 50) % width) / 2, height / 2);
    if (this.#isBusy) this.#scribble(width, height);
    return new VideoFrame(this.#canvas, { timestamp: Math.round(ms * 1000) });
  }

  #scribble(width: number, height: number): void {
    for (let at = 0; at < 150; at++) {
      this.#context.fillStyle = randomColour();
      this.#context.fillRect(Math.random() * width, height * (0.6 + 0.4 * Math.random()), 9, 7);
    }
  }
}

function randomColour(): string {
  return `#${Math.floor(Math.random() * 0xffffff)
    .toString(16)
    .padStart(6, "0")}`;
}

function beepBlock(frame: number): SoundBlock {
  const samples = new Float32Array(BLOCK);
  for (let at = 0; at < BLOCK; at++) {
    const ms = ((frame + at) / RATE) * 1000;
    samples[at] = isMarked(ms) ? 0.5 * Math.sin((2 * Math.PI * 1000 * ms) / 1000) : 0;
  }
  return { frame, rate: RATE, samples };
}

function within(ms: number, span?: [number, number]): boolean {
  return span !== undefined && ms >= span[0] * 1000 && ms < span[1] * 1000;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
