import { faultOf, type Plaintext } from "../../src/media/plaintext.ts";
import { MessagePlayer } from "../../src/media/player.ts";
import { endPrefix } from "../../src/media/repair.ts";
import { toFaststart } from "../../src/media/save.ts";

/** How a film reaches the player. */
interface Line {
  bytesPerS?: number;
  /** Reading at or after this byte fails as a cut or an altered video does, or as a lost line. */
  failAt?: number;
  failure?: "video-cut-off" | "video-part-swapped" | "offline";
  /** The browser has no media source. */
  isOld?: boolean;
  /** How many bytes come at once. */
  pieceBytes?: number;
}

const PIECE = 16 << 10;
let player: MessagePlayer | null = null;
let firstFrameMs = 0;
let read = 0;
let states: string[] = [];
let line: Line = {};

async function bytesOf(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await fetch(`/out/${name}`)).arrayBuffer());
}

/** A film that comes as slowly as the line says; what is read at random costs its time as well. */
function slowly(bytes: Uint8Array): Plaintext {
  const take = async (from: number, to: number): Promise<Uint8Array> => {
    if (line.bytesPerS)
      await new Promise((resolve) => setTimeout(resolve, ((to - from) / (line.bytesPerS ?? 1)) * 1000));
    if (line.failAt !== undefined && to > line.failAt) throw Object.assign(new Error("line"), { code: line.failure });
    read += to - from;
    return bytes.slice(from, to);
  };
  return {
    plainSize: bytes.length,
    read: (offset, length) => take(offset, Math.min(bytes.length, offset + length)),
    stream(from) {
      let at = from;
      return new ReadableStream({
        async pull(controller) {
          if (at >= bytes.length) return controller.close();
          const to = Math.min(bytes.length, at + (line.pieceBytes ?? PIECE));
          controller.enqueue(await take(at, to));
          at = to;
        },
      });
    },
  };
}

export async function play(name: string, ms: number, given: Line = {}, type = "video/mp4"): Promise<void> {
  player?.close();
  [line, read, states, firstFrameMs] = [given, 0, [], 0];
  if (given.isOld) Object.assign(globalThis, { MediaSource: undefined, ManagedMediaSource: undefined });
  const element = document.querySelector<HTMLVideoElement>("#player");
  if (!element) throw new TypeError("no element");
  element.muted = true;
  const bytes = await bytesOf(name);
  const began = performance.now();
  element.requestVideoFrameCallback(() => (firstFrameMs = performance.now() - began));
  player = new MessagePlayer(element, slowly(bytes), { ms, type });
  player.onState = (state) => states.push("atS" in state ? `${state.kind} ${state.atS.toFixed(2)}` : state.kind);
  void player.open();
  void element.play();
}

export const mend = (): void => {
  line = {};
  player?.retry();
};
export const seek = (timeS: number): void => player?.seek(timeS);
export const rate = (value: number): void => void (player && (player.rate = value));

export function seen(): object {
  const element = document.querySelector<HTMLVideoElement>("#player");
  if (!element) return {};
  const { currentTime, duration, ended, paused, seeking, videoWidth, playbackRate } = element;
  const { totalVideoFrames, droppedVideoFrames } = element.getVideoPlaybackQuality();
  const frames = { totalVideoFrames, droppedVideoFrames };
  return {
    currentTime,
    duration,
    ended,
    paused,
    seeking,
    videoWidth,
    playbackRate,
    ...frames,
    read,
    states,
    firstFrameMs,
  };
}

export async function save(name: string, target: string): Promise<object> {
  line = {};
  const bytes = await bytesOf(name);
  const began = performance.now();
  try {
    const blob = await toFaststart(slowly(bytes));
    const tookMs = performance.now() - began;
    await fetch(`/out/${target}`, { method: "POST", body: blob });
    return { tookMs, type: blob.type };
  } catch (error) {
    return { refused: (error as { code?: string }).code, fault: faultOf(error) };
  }
}

export async function cut(name: string, at: number, target: string): Promise<object | null> {
  const film = endPrefix((await bytesOf(name)).subarray(0, at));
  if (!film) return null;
  await fetch(`/out/${target}`, { method: "POST", body: new Blob([film.data]) });
  return { ...film, data: undefined, size: film.data.length };
}
