import {
  encodeTake,
  TakeFailed,
  type EncodeOptions,
  type TakeEncoding,
  type TakeSource,
} from "../../src/media/encode.ts";
import { runSimulation, type Simulation } from "./media-simulation.ts";
import { putIn, type StandIn } from "./media-stand-ins.ts";

/** What the page asks for; each is answered by messages of the kinds below. */
export type Order =
  | { kind: "record"; source: TakeSource; refuseAfterBytes?: number; standIn?: StandIn }
  | { kind: "simulate"; simulation: Simulation; options: EncodeOptions }
  | { kind: "pause" | "resume" | "stop" | "eval" | "stall" | "progress" };

const pieces: Uint8Array[] = [];
const reaches: { bytes: number; ms: number; at: number }[] = [];
let take: TakeEncoding | null = null;
const sizes: { width: number; height: number; isBehind: boolean; ms: number }[] = [];
let startedAt = 0;
let end: string | null = null;
let progress = 0;

function sink(refuseAfterBytes = Infinity): WritableStream<Uint8Array> {
  let size = 0;
  return new WritableStream({
    write(bytes) {
      size += bytes.length;
      if (size > refuseAfterBytes) throw new DOMException("full", "QuotaExceededError");
      pieces.push(bytes);
    },
  });
}

function watch(encoding: TakeEncoding): void {
  take = encoding;
  encoding.onProgress = (ms) => {
    progress = ms;
  };
  encoding.onQuality = ({ width, height }, isBehind) => sizes.push({ width, height, isBehind, ms: progress });
  encoding.onReach = (reach) => reaches.push({ ...reach, at: performance.now() - startedAt });
  encoding.onEnd = (why) => {
    end = why;
    postMessage({ kind: "ended", end });
  };
  encoding.started.then(
    () => {
      startedAt = performance.now();
      postMessage({ kind: "started" });
    },
    (error: unknown) => postMessage({ kind: "failed", code: error instanceof TakeFailed ? error.code : String(error) }),
  );
}

async function stop(): Promise<void> {
  try {
    const result = await take?.stop();
    const bytes = await new Blob(pieces as BlobPart[]).arrayBuffer();
    postMessage({ kind: "done", result, reaches, sizes, end, progress, bytes }, { transfer: [bytes] });
  } catch (error) {
    postMessage({ kind: "failed", code: error instanceof TakeFailed ? error.code : String(error) });
  }
}

function isEvalForbidden(): boolean {
  try {
    return (0, eval)("1") !== 1;
  } catch {
    return true;
  }
}

onmessage = async ({ data: order }: MessageEvent<Order>) => {
  if (order.kind === "record") {
    putIn(order.standIn ?? {});
    watch(encodeTake(order.source, sink(order.refuseAfterBytes)));
  } else if (order.kind === "simulate") {
    const { source, run } = runSimulation(order.simulation, order.options);
    watch(encodeTake(source, sink()));
    await run();
    await stop();
  } else if (order.kind === "progress")
    postMessage({ kind: "progress", ms: progress, steps: sizes.filter((size) => size.isBehind).length });
  else if (order.kind === "stall") for (const until = performance.now() + 1000; performance.now() < until;);
  else if (order.kind === "pause") take?.pause();
  else if (order.kind === "resume") take?.resume();
  else if (order.kind === "stop") await stop();
  else postMessage({ kind: "eval", forbidden: isEvalForbidden() });
};
