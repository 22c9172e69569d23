// An encoder that hangs or fails, with stand-ins for the browser's and for the clock.

import type { EncodedVideoPacketSource } from "mediabunny";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { PictureEncoder } from "../../src/media/picture-encoder";

const CHOICE = { codec: "vp9" as const, name: "vp09.00.31.08", size: { width: 640, height: 360 } };
const STEP_MS = 100;

/** The encoders that were made, in their order. */
let made: StandIn[];
/** Which of them give nothing. */
let hangs: (number: number) => boolean;

class StandIn {
  state: CodecState = "unconfigured";
  encodeQueueSize = 0;
  config: VideoEncoderConfig | null = null;
  readonly #init: VideoEncoderInit;
  readonly #isHung: boolean;

  constructor(init: VideoEncoderInit) {
    this.#init = init;
    this.#isHung = hangs(made.length);
    made.push(this);
  }
  configure(config: VideoEncoderConfig): void {
    [this.config, this.state] = [config, "configured"];
  }
  encode({ timestamp }: VideoFrame, { keyFrame = false }: VideoEncoderEncodeOptions): void {
    const type = keyFrame ? "key" : "delta";
    const chunk = { type, timestamp, byteLength: 3, copyTo: (data: Uint8Array) => data.fill(1) };
    if (!this.#isHung) this.#init.output(chunk as unknown as EncodedVideoChunk, {});
  }
  async flush(): Promise<void> {
    if (this.#isHung) await new Promise(() => undefined);
  }
  close(): void {
    this.state = "closed";
  }
}

/** Of the size that is wished, so that nothing is drawn. */
class Frame {
  readonly timestamp: number;
  readonly codedWidth = 640;
  readonly codedHeight = 360;
  readonly displayWidth = 640;
  readonly displayHeight = 360;
  readonly close = vi.fn();

  constructor(_source: unknown, { timestamp }: { timestamp: number }) {
    this.timestamp = timestamp;
  }
}

let written: number[];
let lost: number[];
let steps: string[];
let broken: unknown[];
let encoder: PictureEncoder;
let atMs: number;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] });
  [made, written, lost, steps, broken, atMs] = [[], [], [], [], [], 0];
  hangs = () => false;
  class Canvas {
    getContext = () => ({ drawImage: () => undefined, fillRect: () => undefined });
  }
  Object.assign(globalThis, { VideoEncoder: StandIn, VideoFrame: Frame, OffscreenCanvas: Canvas });
});
afterEach(() => {
  encoder.close();
  vi.useRealTimers();
  for (const name of ["VideoEncoder", "VideoFrame", "OffscreenCanvas"]) Reflect.deleteProperty(globalThis, name);
});

function open(): void {
  const add = async ({ timestamp }: { timestamp: number }) =>
    Promise.resolve(void written.push(Math.round(timestamp * 1000)));
  encoder = new PictureEncoder({
    choice: CHOICE,
    track: { add } as unknown as EncodedVideoPacketSource,
    onBroken: (error) => broken.push(error),
    onLost: (lastMs) => lost.push(lastMs),
    onStep: (why) => steps.push(why),
  });
}

/** Pictures, and a look of the watchdog, every tenth of a second. */
async function run(ms: number): Promise<void> {
  for (const end = atMs + ms; atMs < end; atMs += STEP_MS) {
    const frame = new Frame(null, { timestamp: atMs * 1000 });
    encoder.encode(frame as unknown as VideoFrame, { timestamp: atMs * 1000, duration: STEP_MS * 1000 });
    await vi.advanceTimersByTimeAsync(STEP_MS);
    encoder.watch();
  }
}

test("an encoder without an answer for three seconds is replaced, in software, and the take goes on", async () => {
  hangs = (number) => number === 0;
  open();
  await run(3000);
  expect([made.length, steps]).toEqual([1, []]);
  await run(200);
  expect([made.length, steps, lost]).toEqual([2, ["encoder-failed"], [0]]);
  expect([made[0]?.state, made[1]?.config?.hardwareAcceleration]).toEqual(["closed", "prefer-software"]);
  const from = atMs;
  await run(1000);
  await encoder.finish();
  expect(written.filter((ms) => ms >= from)).toHaveLength(10);
  expect(broken).toEqual([]);
});

test("an encoder that answers is left alone", async () => {
  open();
  await run(10_000);
  expect([made.length, steps]).toEqual([1, []]);
});

test("when each that replaces it hangs, too, the take ends instead of standing still", async () => {
  hangs = () => true;
  open();
  await run(20_000);
  expect(made).toHaveLength(4);
  expect(broken).toHaveLength(1);
});
