/** What a test puts in the place of the browser's encoders, in the worker. */

export interface StandIn {
  /** An encoder that needs so many milliseconds for a picture of 640 × 360, more for larger ones, less for smaller. */
  slowMs?: number;
  /** Each encoder fails after so many pictures, until so many have failed. */
  failAfter?: number;
  failures?: number;
  /** Nothing compiles, and nothing says so: as under a wrong policy. */
  isCompilerDead?: boolean;
}

const USUAL = 640 * 360;
const Native = globalThis.VideoEncoder;

export function putIn(standIn: StandIn): void {
  if (standIn.isCompilerDead) {
    const never = (): Promise<never> => new Promise(() => undefined);
    Object.assign(WebAssembly, {
      compile: never,
      instantiate: never,
      instantiateStreaming: never,
      compileStreaming: never,
    });
  }
  if (standIn.slowMs !== undefined || standIn.failAfter !== undefined) {
    Object.assign(globalThis, { VideoEncoder: encoderLike(standIn) });
  }
}

function encoderLike({ slowMs = 0, failAfter = Infinity, failures = Infinity }: StandIn): unknown {
  let failed = 0;
  return class {
    static isConfigSupported = Native.isConfigSupported.bind(Native);
    readonly #init: VideoEncoderInit;
    readonly #native: VideoEncoder;
    readonly #queue: { frame: VideoFrame; options: VideoEncoderEncodeOptions | undefined }[] = [];
    #isBusy = false;
    #count = 0;
    #costMs = 0;

    constructor(init: VideoEncoderInit) {
      this.#init = init;
      this.#native = new Native(init);
    }

    get state(): CodecState {
      return this.#native.state;
    }

    get encodeQueueSize(): number {
      return this.#queue.length + this.#native.encodeQueueSize;
    }

    configure(config: VideoEncoderConfig): void {
      this.#costMs = (slowMs * config.width * config.height) / USUAL;
      this.#native.configure(config);
    }

    encode(frame: VideoFrame, options?: VideoEncoderEncodeOptions): void {
      this.#count += 1;
      if (this.#count > failAfter && failed < failures) return this.#fail();
      if (this.#costMs === 0) return this.#native.encode(frame, options);
      this.#queue.push({ frame: frame.clone(), options });
      void this.#work();
    }

    async flush(): Promise<void> {
      while (this.#queue.length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
      await this.#native.flush();
    }

    close(): void {
      for (const { frame } of this.#queue.splice(0)) frame.close();
      if (this.#native.state !== "closed") this.#native.close();
    }

    #fail(): void {
      failed += 1;
      this.close();
      setTimeout(() => this.#init.error(new DOMException("taken away", "EncodingError")));
    }

    async #work(): Promise<void> {
      if (this.#isBusy) return;
      this.#isBusy = true;
      for (let next = this.#queue[0]; next; next = this.#queue[0]) {
        await new Promise((resolve) => setTimeout(resolve, this.#costMs));
        if (this.#native.state !== "configured") break;
        this.#native.encode(next.frame, next.options);
        next.frame.close();
        this.#queue.shift();
      }
      this.#isBusy = false;
    }
  };
}
