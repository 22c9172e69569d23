/**
 * Tries from this very device what a video message needs of the way to the server: what a proxy may hold back, cut or buffer
 * shows only from outside. Leaves nothing behind.
 */

import { address, type Api } from "../transfer/http";
import { appendUpload, askUpload, createUpload, terminateUpload, type UploadHandle } from "../transfer/tus";
import { failureOf } from "./failure";

export const TRIALS = ["secure", "camera", "clock", "upload", "range", "live", "push"] as const;
export type Trial = (typeof TRIALS)[number];
/** `waiting`: not begun; `poor`: works, and not for ever or not everywhere. `code`: of a refusal. */
export interface Outcome {
  readonly state: "waiting" | "running" | "good" | "poor" | "bad";
  readonly code?: string;
}

/** What is asked of this browser, so that tests can answer for others. */
export interface Surroundings {
  readonly isSecure: boolean;
  readonly isHttps: boolean;
  readonly hasCamera: boolean;
  readonly hasPush: boolean;
  readonly fetch: typeof fetch;
  readonly now: () => number;
  /** A proxy that buffers sends nothing until its buffer is full, which for hints takes hours. */
  readonly liveMs: number;
}

const BYTES = 256 * 1024;
const PIECE = 96 * 1024;
const FROM = 100_000;
const CLOCK_MS = 60_000;

export class DeviceDoctor {
  outcomes: Readonly<Record<Trial, Outcome>> = $state.raw(all("waiting"));
  running = $state(false);
  readonly #api: Api;
  readonly #here: Surroundings;

  constructor(api: Api, here: Surroundings = SURROUNDINGS) {
    this.#api = api;
    this.#here = here;
  }

  /** Tries one thing after the other. Never rejects: `outcomes` tells. */
  async run(): Promise<void> {
    if (this.running) return;
    this.running = true;
    this.outcomes = all("waiting");
    const { isSecure, isHttps, hasCamera, hasPush } = this.#here;
    const note = (trial: Trial, outcome: Outcome): void =>
      void (this.outcomes = { ...this.outcomes, [trial]: outcome });
    note("secure", { state: isHttps ? "good" : isSecure ? "poor" : "bad" });
    note("camera", { state: hasCamera ? "good" : "bad" });
    note("push", { state: hasPush ? "good" : "poor" });
    await this.#try(note, "clock", () => this.#clock());
    await this.#tryWay(note);
    await this.#try(note, "live", () => this.#live());
    this.running = false;
  }

  async #try(note: Note, trial: Trial, work: () => Promise<Outcome>): Promise<void> {
    note(trial, { state: "running" });
    try {
      note(trial, await work());
    } catch (error) {
      note(trial, { state: "bad", code: failureOf(error).code });
    }
  }

  async #clock(): Promise<Outcome> {
    const before = this.#here.now();
    const { at } = await this.#api.get("/api/v1/operator/health");
    const after = this.#here.now();
    return { state: at > before - CLOCK_MS && at < after + CLOCK_MS ? "good" : "poor" };
  }

  /** Uploads in pieces, asks where that stands, reads from the middle, takes it back. */
  async #tryWay(note: Note): Promise<void> {
    const data = randomBytes(BYTES);
    let upload: UploadHandle | null = null;
    await this.#try(note, "upload", async () => {
      upload = await createUpload(this.#here.fetch);
      return { state: (await this.#sendUp(upload, data)) ? "good" : "bad" };
    });
    if (upload === null) return note("range", { state: "bad" });
    const { id } = upload as UploadHandle;
    await this.#try(note, "range", () => this.#range(id, data));
    await terminateUpload(this.#here.fetch, upload).catch(() => undefined); // it would go by itself in a day
  }

  async #sendUp(upload: UploadHandle, data: Uint8Array<ArrayBuffer>): Promise<boolean> {
    let place = { offset: 0, sent: 0 };
    while (place.offset < data.length) {
      const piece = data.slice(place.offset, place.offset + PIECE);
      const isLast = place.offset + piece.length === data.length;
      const next = await appendUpload(this.#here.fetch, upload, place, piece, isLast ? data.length : null);
      if (next.offset !== place.offset + piece.length) return false;
      place = isLast ? next : await askUpload(this.#here.fetch, upload, next);
    }
    return true;
  }

  async #range(id: string, data: Uint8Array): Promise<Outcome> {
    const url = address("/api/v1/operator/uploads/{id}/video", { path: { id } });
    const headers = { range: `bytes=${FROM}-${FROM + 999}` };
    const response = await this.#api.request("GET", url, { headers });
    if (response.status !== 206) return { state: "bad" };
    const part = new Uint8Array(await response.arrayBuffer());
    return { state: isSame(part, data.subarray(FROM, FROM + 1000)) ? "good" : "bad" };
  }

  /** The server says something at once; what does not come through is being held back. */
  async #live(): Promise<Outcome> {
    const enough = AbortSignal.timeout(this.#here.liveMs);
    try {
      const response = await this.#api.request("GET", "/api/v1/events", { signal: enough });
      const reader = response.body?.getReader();
      const first = await reader?.read();
      await reader?.cancel();
      return { state: first?.value?.length ? "good" : "bad" };
    } catch (error) {
      if (enough.aborted) return { state: "bad" };
      throw error;
    }
  }
}

type Note = (trial: Trial, outcome: Outcome) => void;

function all(state: Outcome["state"]): Record<Trial, Outcome> {
  return Object.fromEntries(TRIALS.map((trial) => [trial, { state }])) as Record<Trial, Outcome>;
}

function randomBytes(count: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}

const isSame = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && one.every((byte, at) => byte === other[at]);

const SURROUNDINGS: Surroundings = {
  get isSecure() {
    return isSecureContext;
  },
  get isHttps() {
    return location.protocol === "https:";
  },
  get hasCamera() {
    return "mediaDevices" in navigator && "getUserMedia" in navigator.mediaDevices;
  },
  get hasPush() {
    return "PushManager" in globalThis && "serviceWorker" in navigator;
  },
  fetch: (input, init) => fetch(input, init),
  now: () => Date.now(),
  liveMs: 8_000,
};
