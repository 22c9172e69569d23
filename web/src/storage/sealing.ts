/**
 * [Note: Secrets at rest] Whatever is secret lies in IndexedDB and OPFS only as AES-256-GCM under a key that WebCrypto made
 * non-extractable: a script can use it while the page runs, but nobody can read it out of the browser's files as bytes
 * of ours, and deleting the key's record makes what it sealed unreadable. The label says what a sealed value is and whose, so that none can be
 * put in another's place.
 */

import { utf8 } from "../protocol/encoding";
import { randomBytes } from "../protocol/ids";
import { StorageError } from "./errors";

export interface Sealed {
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly data: Uint8Array<ArrayBuffer>;
}

const IV_BYTES = 12;

/** Makes a key that can never leave this browser. */
export async function newDeviceKey(): Promise<CryptoKey> {
  return crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

export async function sealBytes(key: CryptoKey, label: string, plain: Uint8Array<ArrayBuffer>): Promise<Sealed> {
  const iv = randomBytes(IV_BYTES);
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: utf8(label) }, key, plain);
  return { iv, data: new Uint8Array(sealed) };
}

/** @throws StorageError sealed-elsewhere, when key, label or bytes are not those it was sealed with */
export async function openBytes(key: CryptoKey, label: string, sealed: Sealed): Promise<Uint8Array<ArrayBuffer>> {
  const { iv, data } = sealed;
  try {
    return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: utf8(label) }, key, data));
  } catch (error) {
    throw new StorageError("sealed-elsewhere", { cause: error });
  }
}

export async function sealJson(key: CryptoKey, label: string, value: unknown): Promise<Sealed> {
  return sealBytes(key, label, utf8(JSON.stringify(value)));
}

/** The caller names the type it sealed under this label. @throws StorageError sealed-elsewhere */
export async function openJson<T>(key: CryptoKey, label: string, sealed: Sealed): Promise<T> {
  return JSON.parse(new TextDecoder().decode(await openBytes(key, label, sealed))) as T;
}
