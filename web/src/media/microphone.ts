import { scriptUrl } from "../protocol/trusted.ts";
import type { Level } from "./sound.ts";
import workletPath from "./worklet.ts?worker&url";

const SAMPLE_RATE = 48_000;
const LOAD_LIMIT_MS = 5_000;

/** One audio graph that never stops; the microphone is plugged into it, or nothing is, and then it hears silence. */
export class Microphone {
  readonly #context: AudioContext;
  readonly #node: AudioWorkletNode;
  #source: MediaStreamAudioSourceNode | null = null;
  onLevel: ((level: Level) => void) | null = null;

  private constructor(context: AudioContext, node: AudioWorkletNode) {
    this.#context = context;
    this.#node = node;
    node.port.onmessage = (event: MessageEvent<Level>) => this.onLevel?.(event.data);
    context.onstatechange = () => this.wake();
  }

  /** Null when this browser has no working audio graph: a take is then silent rather than impossible. */
  static async open(track: MediaStreamTrack | null): Promise<Microphone | null> {
    // Firefox refuses to plug a device into a graph of another rate: the second time the graph takes the device's.
    return (await Microphone.#try(track, { sampleRate: SAMPLE_RATE })) ?? (await Microphone.#try(track, {}));
  }

  static async #try(track: MediaStreamTrack | null, options: AudioContextOptions): Promise<Microphone | null> {
    const context = new AudioContext({ ...options, latencyHint: "interactive" });
    try {
      await withLimit(context.audioWorklet.addModule(scriptUrl(workletPath)), LOAD_LIMIT_MS);
      const microphone = new Microphone(context, nodeIn(context));
      if (track) microphone.plug(track);
      microphone.wake();
      return microphone;
    } catch {
      void context.close();
      return null;
    }
  }

  /** Whether the system has stopped it, as a phone does for a call. */
  get isHeldBack(): boolean {
    return (this.#context.state as string) === "interrupted";
  }

  /** Hears this track from now on, instead of the one before. */
  plug(track: MediaStreamTrack): void {
    const source = this.#context.createMediaStreamSource(new MediaStream([track]));
    source.connect(this.#node);
    this.#source?.disconnect();
    this.#source = source;
    this.wake();
  }

  /** Hears silence from now on. */
  unplug(): void {
    this.#source?.disconnect();
    this.#source = null;
  }

  /** Hears this track, too, such as the sound of a shared screen, until it is ended by what this gives. */
  mix(track: MediaStreamTrack): () => void {
    const source = this.#context.createMediaStreamSource(new MediaStream([track]));
    source.connect(this.#node);
    this.wake();
    return () => source.disconnect();
  }

  /** Gives a port on which sound comes once its reader has posted `start`. Transferable. */
  openFeed(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.#node.port.postMessage({ feed: port1 }, [port1]);
    return port2;
  }

  /** Asks a suspended graph to run. Never awaited: without a sound device the promise never settles. */
  wake(): void {
    if (this.#context.state !== "running" && this.#context.state !== "closed") {
      this.#context.resume().catch(() => undefined);
    }
  }

  close(): void {
    this.#context.onstatechange = null;
    this.#node.port.onmessage = null;
    this.#node.disconnect();
    void this.#context.close();
  }
}

function nodeIn(context: AudioContext): AudioWorkletNode {
  const node = new AudioWorkletNode(context, "restante-microphone", {
    channelCount: 1,
    channelCountMode: "explicit",
    outputChannelCount: [1],
  });
  // A node that leads nowhere is not run, so it leads to the speakers, at volume zero.
  const mute = new GainNode(context, { gain: 0 });
  node.connect(mute).connect(context.destination);
  return node;
}

async function withLimit(work: Promise<void>, limitMs: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("the audio worklet did not load")), limitMs);
  });
  await Promise.race([work, limit]).finally(() => clearTimeout(timer));
}
