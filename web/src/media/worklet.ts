/**
 * The microphone's end in the audio thread. It never stops: with nothing plugged in it hears silence. Levels go to the
 * page always; sound goes only to a feed whose reader has said `start`, so that an unread port never fills.
 */
import type { Level, SoundBlock } from "./sound.ts";

declare const currentFrame: number;
declare const sampleRate: number;
declare function registerProcessor(name: string, processor: unknown): void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

const BLOCK = 960;
const LEVEL_EVERY = 3;

class MicrophoneProcessor extends AudioWorkletProcessor {
  #block = new Float32Array(BLOCK);
  #filled = 0;
  #blocks = 0;
  #level: Level = { rms: 0, peak: 0 };
  #feeds = new Set<MessagePort>();

  constructor() {
    super();
    this.port.onmessage = (event: MessageEvent<{ feed: MessagePort }>) => this.#accept(event.data.feed);
  }

  process(inputs: Float32Array[][]): true {
    const sound = inputs[0]?.[0];
    const count = sound?.length ?? 128;
    let from = 0;
    while (from < count) {
      const piece = Math.min(count - from, BLOCK - this.#filled);
      if (sound) this.#block.set(sound.subarray(from, from + piece), this.#filled);
      else this.#block.fill(0, this.#filled, this.#filled + piece);
      this.#filled += piece;
      from += piece;
      if (this.#filled === BLOCK) this.#deliver(currentFrame + from);
    }
    return true;
  }

  #accept(feed: MessagePort): void {
    feed.onmessage = (event: MessageEvent<"start" | "stop">) => {
      if (event.data === "start") this.#feeds.add(feed);
      else this.#feeds.delete(feed);
    };
  }

  #deliver(endFrame: number): void {
    this.#measure();
    for (const feed of this.#feeds) {
      const block: SoundBlock = { frame: endFrame - BLOCK, rate: sampleRate, samples: this.#block.slice() };
      feed.postMessage(block, [block.samples.buffer]);
    }
    this.#filled = 0;
  }

  #measure(): void {
    let sum = 0;
    let peak = 0;
    for (const value of this.#block) {
      sum += value * value;
      peak = Math.max(peak, Math.abs(value));
    }
    const rms = Math.sqrt(sum / BLOCK);
    this.#level = { rms: Math.max(this.#level.rms, rms), peak: Math.max(this.#level.peak, peak) };
    this.#blocks += 1;
    if (this.#blocks % LEVEL_EVERY !== 0) return;
    this.port.postMessage(this.#level);
    this.#level = { rms: 0, peak: 0 };
  }
}

registerProcessor("restante-microphone", MicrophoneProcessor);
