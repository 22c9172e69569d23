import { openCapture, type Capture } from "../../src/media/capture";
import { b64 } from "../../src/protocol/encoding";
import { openDatabase } from "../../src/storage/db";
import { Drafts } from "../../src/storage/drafts";
import { bringUp } from "../../src/take/bringers";
import { exportDraft } from "../../src/take/export";
import {
  discardDraft,
  findDrafts,
  hasDrafts,
  recoverDraft,
  sweepSpools,
  takeBackUploads,
} from "../../src/take/recovery";
import { resumeDraft, sendDraft, type Outgoing, type SendingState } from "../../src/take/sending";
import { Take, type TakeState } from "../../src/take/take";
import type { RecordOptions } from "../../src/take/orders";
import { LiveChannel, type Happening } from "../../src/transfer/live";

/** What a test asks of the page; every answer is plain data. */
const ACCT = "harness@here";
let capture: Capture | null = null;
let current: Take | null = null;
let live: LiveChannel | null = null;
const heard: Happening[] = [];
const sendings: SendingState[] = [];

async function start(options: RecordOptions = {}): Promise<string> {
  capture ??= await openCapture({ width: 640, height: 480 });
  capture.renew();
  current = Take.start(capture, { acct: ACCT, ...options });
  return current.id;
}

function taken(): Take {
  if (current === null) throw new TypeError("start first");
  return current;
}

async function coded<T>(work: () => Promise<T>): Promise<T | { code: string }> {
  try {
    return await work();
  } catch (error) {
    return { code: (error as { code?: string }).code ?? String(error) };
  }
}

async function draft(id: string): Promise<object> {
  const { content } = await new Drafts(await openDatabase()).get(id);
  const { upload, video, isStored, messageKey, poster, events } = content;
  return { upload: upload?.id ?? null, video, isStored, messageKey, poster: poster?.type ?? null, events };
}

async function exported(id: string): Promise<string> {
  return b64(new Uint8Array(await (await exportDraft(id)).arrayBuffer()));
}

/** The test seals what belongs to the account; here only the form of the request matters. */
function composing(parts: { details: string; envelopes: Record<string, string>; sent: string; digest: string }) {
  return ({ draft: { id }, upload, wish }: Outgoing) => {
    const message = { id, kind: "video", details_sha256: parts.digest, recipients: wish.to, upload };
    const { details, envelopes, sent } = parts;
    return Promise.resolve({ message: JSON.stringify(message), details, envelopes, sent });
  };
}

const workers: Worker[] = [];

/** What a test breaks is not the app's own: a browser without an encoder, a worker that dies, a camera that is unplugged. */
const breaking = {
  hideEncoder: () => Reflect.deleteProperty(globalThis, "VideoEncoder"),
  watchWorkers: () => {
    const Native = globalThis.Worker;
    globalThis.Worker = class extends Native {
      constructor(...given: ConstructorParameters<typeof Worker>) {
        super(...given);
        workers.push(this);
      }
    };
  },
  failWorker: () => workers.at(-1)?.dispatchEvent(new Event("error")),
  unplug: () => {
    for (const track of capture?.stream.getVideoTracks() ?? []) {
      track.stop();
      track.dispatchEvent(new Event("ended"));
    }
  },
};

const harness = {
  ...breaking,
  start,
  state: (): TakeState => taken().state,
  stop: () => coded(async () => taken().stop()),
  pause: () => taken().pause(),
  resume: () => taken().resume(),
  stored: () => coded(async () => taken().stored()),
  discard: async () => taken().discard(),
  release: () => capture?.close(),
  drafts: async () => findDrafts(ACCT),
  hasDrafts: async () => hasDrafts(ACCT),
  draft,
  exported,
  recover: async (id: string) => coded(async () => recoverDraft(id)),
  drop: async (id: string) => coded(async () => discardDraft(id)),
  bring: async (id: string) => coded(async () => bringUp(id, () => undefined, new AbortController().signal)),
  takeBack: async () => takeBackUploads(ACCT),
  sweep: async () => sweepSpools(),
  send: async (id: string, to: string[], parts: Parameters<typeof composing>[0]) => {
    const options = { compose: composing(parts), onState: (state: SendingState) => void sendings.push(state) };
    return coded(async () => sendDraft(id, { to, caption: null }, options));
  },
  resumeSending: async (id: string, parts: Parameters<typeof composing>[0]) => {
    const options = { compose: composing(parts), onState: (state: SendingState) => void sendings.push(state) };
    return coded(async () => resumeDraft(id, options));
  },
  sendings: () => sendings,
  listen: () => {
    live = new LiveChannel({ acct: ACCT, onHappening: (happening) => void heard.push(happening) });
  },
  live: () => ({ state: live?.state, leads: live?.leads, heard }),
};
Object.assign(globalThis, { harness });
