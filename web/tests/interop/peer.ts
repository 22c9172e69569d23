// The web client's protocol as a program: one JSON call on each line of stdin, one JSON answer on each line of stdout.
// Bytes go as {"bytes": base64url}. Driven by tests/protocol/test_web_interop.py.

import { createInterface } from "node:readline";
import { describeVideo } from "../../src/crypto/parts";
import { AgeError, recipientOf, unseal } from "../../src/crypto/age";
import { readContainer } from "../../src/crypto/container";
import { verify } from "../../src/crypto/signing";
import { WorkerMethods } from "../../src/crypto/worker-methods";
import { filePadding, newMessageKey, openVideo, PartHasher, sealVideo } from "../../src/crypto/video";
import { b64, concat, unb64 } from "../../src/protocol/encoding";
import { ProtocolError } from "../../src/protocol/errors";
import { BadJson, Fraction, parse } from "../../src/protocol/ijson";
import { newId } from "../../src/protocol/ids";

class Peer extends WorkerMethods {
  newId = newId;
  newMessageKey = newMessageKey;
  describeVideo = describeVideo;
  recipientOf = recipientOf;

  /** How each ends: null or a code. */
  verifyAll(cases: [Uint8Array, Uint8Array, Uint8Array][]): (string | null)[] {
    return cases.map(([key, signature, message]) => refusalOf(() => verify(key, signature, message)));
  }

  /** Each as compact JSON, or null where it is refused. */
  readAllJson(documents: Uint8Array[]): (string | null)[] {
    return documents.map((document) => {
      try {
        return JSON.stringify(parse(document), (_, value: unknown) => (value instanceof Fraction ? "fraction" : value));
      } catch (error) {
        if (error instanceof BadJson) return null;
        throw error;
      }
    });
  }

  readAllContainers(containers: Uint8Array[]): (string | null)[] {
    return containers.map((data) => refusalOf(() => readContainer(data, "envelope", 65_536)));
  }

  /** Each opened, or the fault. */
  async unsealAll(files: Uint8Array[], identities: string[]): Promise<(Uint8Array | string)[]> {
    const opened: (Uint8Array | string)[] = [];
    for (const file of files) {
      try {
        opened.push(await unseal(file, identities));
      } catch (error) {
        if (!(error instanceof AgeError)) throw error;
        opened.push(error.fault);
      }
    }
    return opened;
  }

  async sealVideo(key: string, mp4: Uint8Array<ArrayBuffer>) {
    const plaintext = new Blob([mp4, filePadding(mp4.length)]).stream();
    const video = new Uint8Array(await new Response(plaintext.pipeThrough(sealVideo(key))).arrayBuffer());
    const hasher = new PartHasher();
    await hasher.push(video);
    return { video, size: hasher.size, parts: await hasher.finish() };
  }

  async readVideoWhole(key: string, video: Uint8Array, parts: string[]) {
    const read = async (offset: number, length: number) => video.slice(offset, offset + length);
    const opened = await openVideo(key, { size: video.length, read }, parts);
    return concat(new Uint8Array(await new Response(opened.stream()).arrayBuffer()));
  }
}

function decoded(_: string, value: unknown): unknown {
  const tagged = value as { bytes?: unknown } | null;
  return typeof tagged?.bytes === "string" ? unb64(tagged.bytes) : value;
}

function encoded(_: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: b64(value) };
  return value instanceof Map ? Object.fromEntries(value) : value;
}

function refusalOf(run: () => unknown): string | null {
  try {
    run();
    return null;
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
}

const peers = new Map<string, Peer>();

async function answer(line: string): Promise<object> {
  const { who, method, args } = JSON.parse(line, decoded) as { who: string; method: string; args: unknown[] };
  const peer = peers.get(who) ?? new Peer();
  peers.set(who, peer);
  const called = (peer as unknown as Record<string, (...args: unknown[]) => unknown>)[method];
  if (!called) throw new Error(`no method ${method}`);
  try {
    return { value: await called.apply(peer, args) };
  } catch (error) {
    if (error instanceof ProtocolError) return { code: error.code };
    throw error;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(line), encoded)}\n`);
}
