// The signed container: `TYPE LF SIGNER LF SIG LF PAYLOAD` (docs/protocol/conventions.md).
//
// The signature covers `TYPE 0x00 SIGNER 0x00 PAYLOAD` as the exact bytes that stand in the container: nothing is
// parsed before it is verified, and nothing is ever serialised again.

import { b64, concat, unb64, utf8 } from "../protocol/encoding";
import { ProtocolError, type Refusal } from "../protocol/errors";
import { BadJson, parse, write } from "../protocol/ijson";
import { CONTAINER_PAD_BYTES } from "../protocol/limits";
import type { Shape } from "../protocol/shape";
import { KEY_BYTES, sign, SIGNATURE_BYTES, verify, type SigningKey } from "./signing";

const KINDS = ["envelope", "account", "keyring", "state", "succession", "alias", "receipt", "profile"] as const;
export type ContainerKind = (typeof KINDS)[number];

/** A container whose signature, if it has one, was verified with `signer`: whose key that is, is still open. */
export interface Container {
  readonly signer: Uint8Array | null;
  readonly payload: Uint8Array;
  readonly raw: Uint8Array;
}

const TYPE_LINE = /^restante\/[1-9][0-9]{0,3} [a-z]{1,16}$/;
const NOBODY = "-";
const LF = 0x0a;
const PAD_OPEN = ',"pad":"';
const PAD_CLOSE = '"}';

/** Splits, checks the type, verifies the signature; the payload is not yet parsed. @throws ProtocolError */
export function readContainer(data: Uint8Array, expected: ContainerKind, limit: number): Container {
  if (data.length > limit) throw new ProtocolError("container-too-large");
  const ends = lineEnds(data);
  const type = checkType(latin1(data.subarray(0, ends[0] ?? data.length)), expected);
  const [first, second, third] = ends;
  if (first === undefined || second === undefined || third === undefined)
    throw new ProtocolError("container-malformed");
  const signerLine = latin1(data.subarray(first + 1, second));
  const signer = field(signerLine, KEY_BYTES, "signing-key-bad");
  const signature = field(latin1(data.subarray(second + 1, third)), SIGNATURE_BYTES, "container-malformed");
  if ((signer === null) !== (signature === null)) throw new ProtocolError("container-malformed");
  const payload = data.subarray(third + 1);
  if (signer && signature) verify(signer, signature, signedBytes(type, signerLine, payload));
  return { signer, payload, raw: data };
}

/** Parses the payload. @throws ProtocolError payload-malformed, or `code` */
export function readPayload<T>(box: Container, shape: Shape<T>, code: Refusal = "payload-malformed"): T {
  return readJson(box.payload, shape, code);
}

/** Parses strict JSON of a shape. @throws ProtocolError `code` */
export function readJson<T>(bytes: Uint8Array, shape: Shape<T>, code: Refusal): T {
  try {
    return shape(parse(bytes), "");
  } catch (error) {
    if (error instanceof BadJson) throw new ProtocolError(code, error.message);
    throw error;
  }
}

/** Returns the signer's public key. @throws ProtocolError signature-missing */
export function requireSigner(box: Container): Uint8Array {
  if (!box.signer) throw new ProtocolError("signature-missing");
  return box.signer;
}

/** Writes a container; without a key it is unsigned. */
export function writeContainer(kind: ContainerKind, content: object, key: SigningKey | null): Uint8Array<ArrayBuffer> {
  return assemble(kind, write(content), key);
}

/** Writes a container whose last key `pad` fills it to a multiple of 4,096 bytes. */
export function writePadded(kind: ContainerKind, content: object, key: SigningKey | null): Uint8Array<ArrayBuffer> {
  const overhead = assemble(kind, new Uint8Array(0), key).length;
  return assemble(kind, padded(write(content), overhead), key);
}

/** Adds the key `pad` to a JSON object, so that it and `overhead` are a multiple of 4,096 bytes. */
export function padded(payload: Uint8Array, overhead = 0): Uint8Array<ArrayBuffer> {
  const body = payload.subarray(0, -1);
  const opening = utf8(body.length > 1 ? PAD_OPEN : PAD_OPEN.slice(1));
  const bare = overhead + body.length + opening.length + PAD_CLOSE.length;
  const missing = (CONTAINER_PAD_BYTES - (bare % CONTAINER_PAD_BYTES)) % CONTAINER_PAD_BYTES;
  return concat(body, opening, utf8("0".repeat(missing)), utf8(PAD_CLOSE));
}

function assemble(kind: ContainerKind, payload: Uint8Array, key: SigningKey | null): Uint8Array<ArrayBuffer> {
  const type = `restante/1 ${kind}`;
  const signer = key ? b64(key.public) : NOBODY;
  const signature = key ? b64(sign(key, signedBytes(type, signer, payload))) : NOBODY;
  return concat(utf8(`${type}\n${signer}\n${signature}\n`), payload);
}

function signedBytes(type: string, signer: string, payload: Uint8Array): Uint8Array {
  return concat(utf8(`${type}\0${signer}\0`), payload);
}

function checkType(line: string, expected: ContainerKind): string {
  if (!TYPE_LINE.test(line)) throw new ProtocolError("container-malformed");
  if (!KINDS.some((kind) => line === `restante/1 ${kind}`)) throw new ProtocolError("needs-newer-version", line);
  if (line !== `restante/1 ${expected}`) throw new ProtocolError("container-type", line);
  return line;
}

/** Reads `-` or the canonical base64url of so many bytes. */
function field(line: string, size: number, code: Refusal): Uint8Array | null {
  if (line === NOBODY) return null;
  try {
    return unb64(line, size);
  } catch {
    throw new ProtocolError(code);
  }
}

function lineEnds(data: Uint8Array): number[] {
  const ends: number[] = [];
  for (let at = data.indexOf(LF); at >= 0 && ends.length < 3; at = data.indexOf(LF, at + 1)) ends.push(at);
  return ends;
}

/** One character per byte: what is not ASCII matches nothing. */
function latin1(bytes: Uint8Array): string {
  return bytes.length > 128 ? "" : String.fromCharCode(...bytes);
}
