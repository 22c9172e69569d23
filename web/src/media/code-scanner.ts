/** Reads QR codes with the camera: by the browser's own detector where it has one, else by a decoder that is fetched then. */

import { refused } from "./refusal";

interface Detector {
  detect(source: CanvasImageSource): Promise<{ rawValue: string }[]>;
}
interface DetectorClass {
  new (options: { formats: string[] }): Detector;
  getSupportedFormats(): Promise<string[]>;
}
type Decode = (canvas: HTMLCanvasElement) => Promise<string | null>;

const FORMAT = "qr_code";
const WIDTH = 720;
/** Between two looks: a hand that moves is still for longer. */
const PAUSE_MS = 150;

export class CodeScanner {
  readonly stream: MediaStream;
  readonly #decode: Decode;
  #isClosed = false;

  private constructor(stream: MediaStream, decode: Decode) {
    this.stream = stream;
    this.#decode = decode;
  }

  /** Opens the camera that looks away from the person. @throws CaptureRefused */
  static async open(): Promise<CodeScanner> {
    const decode = await decoder();
    try {
      const video = { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } };
      return new CodeScanner(await navigator.mediaDevices.getUserMedia({ video }), decode);
    } catch (error) {
      throw refused(error);
    }
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Shows each code that is seen to `onText`, until that says that it is the one, or this is closed. */
  async read(onText: (text: string) => boolean): Promise<void> {
    const video = document.createElement("video");
    Object.assign(video, { muted: true, playsInline: true, srcObject: this.stream });
    const canvas = document.createElement("canvas");
    await video.play();
    while (!this.#isClosed) {
      const text = draw(video, canvas) ? await this.#decode(canvas) : null;
      if (text !== null && !this.#isClosed && onText(text)) break;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    video.srcObject = null;
  }

  close(): void {
    this.#isClosed = true;
    for (const track of this.stream.getTracks()) track.stop();
  }
}

/** False while there is no picture yet. */
function draw(video: HTMLVideoElement, canvas: HTMLCanvasElement): boolean {
  if (video.videoWidth === 0) return false;
  const scale = Math.min(1, WIDTH / video.videoWidth);
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  canvas.getContext("2d", { willReadFrequently: true })?.drawImage(video, 0, 0, canvas.width, canvas.height);
  return true;
}

async function decoder(): Promise<Decode> {
  const Detector = (globalThis as { BarcodeDetector?: DetectorClass }).BarcodeDetector;
  const formats = await Detector?.getSupportedFormats().catch((): string[] => []);
  if (Detector && formats?.includes(FORMAT) === true) {
    const detector = new Detector({ formats: [FORMAT] });
    return async (canvas) => (await detector.detect(canvas).catch(() => []))[0]?.rawValue ?? null;
  }
  const { decodeQR } = await import("qr/decode.js");
  return (canvas) => Promise.resolve(decoded(canvas, decodeQR));
}

function decoded(canvas: HTMLCanvasElement, decode: (image: ImageData) => string): string | null {
  const image = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height);
  try {
    return image ? decode(image) : null;
  } catch {
    return null; // no code in this picture
  }
}
