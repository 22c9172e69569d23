// Argon2id with the protocol's parameters: WebAssembly, and plain JavaScript where that does not start.

import { argon2idAsync } from "@noble/hashes/argon2.js";
import { argon2id as argon2idWasm } from "hash-wasm";

const KIB = 64 * 1024;
const PASSES = 3;
const LANES = 1;
const OUTPUT_BYTES = 32;
const START_MS = 5000;

type Stretch = (secret: Uint8Array, salt: Uint8Array) => Promise<Uint8Array>;

let chosen: Promise<Stretch> | null = null;

/** Stretches a typed secret to 32 bytes: 64 MiB, 3 passes, 1 lane. Blocks its thread: runs in a worker only. */
export async function argon2id(secret: Uint8Array, salt: Uint8Array): Promise<Uint8Array> {
  chosen ??= choose();
  try {
    return await (
      await chosen
    )(secret, salt);
  } catch {
    chosen = Promise.resolve(argon2idPlain); // it started, but its 64 MiB were too much
    return argon2idPlain(secret, salt);
  }
}

/** In plain JavaScript, three times slower; gives the same. */
export const argon2idPlain: Stretch = (secret, salt) =>
  argon2idAsync(secret, salt, { m: KIB, t: PASSES, p: LANES, dkLen: OUTPUT_BYTES });

const argon2idFast: Stretch = (secret, salt) =>
  argon2idWasm({
    password: secret,
    salt,
    memorySize: KIB,
    iterations: PASSES,
    parallelism: LANES,
    hashLength: OUTPUT_BYTES,
    outputType: "binary",
  });

/** Starts the WebAssembly with the smallest work; it may be forbidden, missing, or hang. */
async function choose(): Promise<Stretch> {
  const started = argon2idWasm({
    password: "x",
    salt: new Uint8Array(16),
    memorySize: 8,
    iterations: 1,
    parallelism: 1,
    hashLength: 16,
    outputType: "binary",
  }).then(
    () => true,
    () => false,
  );
  return (await within(START_MS, started)) ? argon2idFast : argon2idPlain;
}

async function within(ms: number, started: Promise<boolean>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([started, late]);
  } finally {
    clearTimeout(timer);
  }
}
