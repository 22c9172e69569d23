// The page's side of the crypto worker: every method of `Session` as a promise, and videos opened there.

import { scriptUrl } from "../protocol/trusted";
import { readAhead } from "./read-ahead";
import { Caller, ForeignErrors, remote, serve, type Endpoint, type Remote } from "./rpc";
import type { Session } from "./session";
import type { OpenVideo, VideoSource } from "./video-reader";
import type { VideoHandle, WorkerMethods } from "./worker-methods";
import workerUrl from "./worker?worker&url";

export type {
  AccountView,
  CheckedReceipt,
  GivenReceipt,
  KeyringChange,
  NewAccount,
  NumberWith,
  PersonView,
  Receivable,
  ReceivedEnvelope,
  SealedKeyring,
} from "./session-views";
export type { ComposedMessage, NewMessage } from "./message";
export type { OpenedEnvelope, Trust } from "./receiving";
export type { Contact } from "./contacts";
export type { Group, NamedGroup } from "./groups";
export type { Flags } from "./shards";
export type { ComposedCall, NewCall, PageOwner } from "./calls";
export type { Profile } from "./profile";
export type { Challenge } from "./proof";
export type { Details, Kind, Poster, VideoDetails } from "./details";

/** A video that is decrypted in the worker; errors of its source come back as they were thrown. */
export interface RemoteVideo extends OpenVideo {
  close(): void;
}

export interface CryptoService extends Remote<Session> {
  /** Opens a video whose encrypted bytes this page reads. @throws ProtocolError video-…; errors of `source.read` */
  openVideo(messageKey: string, source: VideoSource, parts: readonly string[]): Promise<RemoteVideo>;
  /** Ends the worker; whatever waits is rejected. */
  close(): void;
}

/** Starts the crypto worker. One for each page: it holds the unlocked account. */
export function startCrypto(): CryptoService {
  const worker = new Worker(scriptUrl(workerUrl), { type: "module", name: "crypto" });
  const link = connectCrypto(worker as Endpoint);
  worker.addEventListener("error", () => link.fail(new Error("the crypto worker has failed")));
  return Object.assign(link.service, {
    close() {
      link.fail(new DOMException("the crypto worker was closed", "AbortError"));
      worker.terminate();
    },
  });
}

/** Speaks to a crypto worker that somebody else started. */
export function connectCrypto(endpoint: Endpoint): {
  service: Omit<CryptoService, "close">;
  fail(reason: Error): void;
} {
  const foreign = new ForeignErrors();
  const caller = new Caller(endpoint, foreign);
  const methods = remote<WorkerMethods>(caller);
  const openVideo = async (messageKey: string, source: VideoSource, parts: readonly string[]) => {
    const { port1, port2 } = new MessageChannel();
    serve(port1, { read: (offset: number, length: number) => source.read(offset, length) }, foreign);
    port1.start();
    const handle = (await caller.call("openVideo", [messageKey, source.size, parts, port2], [port2])) as VideoHandle;
    return remoteVideo(methods, handle, port1);
  };
  // What a passkey gave goes over and is gone here.
  const takePasskey = (prf: Uint8Array) => caller.call("takePasskey", [prf], [prf.buffer as ArrayBuffer]);
  const offerPrf = (prf: Uint8Array) => caller.call("offerPrf", [prf], [prf.buffer as ArrayBuffer]);
  const service = new Proxy({ openVideo, takePasskey, offerPrf } as Omit<CryptoService, "close">, {
    get: (own, name, receiver) =>
      Reflect.has(own, name) ? Reflect.get(own, name, receiver) : Reflect.get(methods, name),
  });
  return { service, fail: (reason) => caller.fail(reason) };
}

function remoteVideo(
  methods: Remote<WorkerMethods>,
  { video, plainSize }: VideoHandle,
  port: MessagePort,
): RemoteVideo {
  const read = (offset: number, length: number) => methods.readVideo(video, offset, length);
  return {
    plainSize,
    read,
    stream: (offset = 0) => readAhead(offset, plainSize, read, () => methods.verifyVideoEnd(video)),
    verifyEnd: () => methods.verifyVideoEnd(video),
    close() {
      port.close();
      methods.closeVideo(video).catch(() => undefined); // the worker has ended: so has the video
    },
  };
}
