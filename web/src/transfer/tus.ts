/**
 * Resumable uploads (tus 1.0.0) whose length is known only at the end: docs/reference/uploads.md.
 *
 * The server's offset is believed only inside what this device ever sent, and nothing is sent twice in another form:
 * what is uploaded is read from the spool, so a repeated piece is the same piece.
 */

import { broken, within, type Fetch } from "./http";
import { malformed, Problem, problemOf } from "./problem";

/** The smallest piece while more is to come: about one sealed chunk. */
export const FIRST_BYTES = 64 * 1024;
/** The largest piece of one PATCH. */
export const PIECE_BYTES = 1024 * 1024;

/** Address and right of one upload; the capability needs no session, so a worker can go on after a sign-out. */
export type UploadHandle = { id: string; capability: string };

/** `offset` is what the server acknowledged, `sent` what was ever given to it. */
export type UploadPlace = { offset: number; sent: number };

const COLLECTION = "/api/v1/uploads";
const TUS = { "tus-resumable": "1.0.0" };
const SILENCE_MS = 30_000;
const SLOWEST_BYTES_PER_MS = 8;
const UPLOAD_ID = /^upl_[a-z2-7]{26}$/;

/**
 * Begins an upload, by the session's cookie or by the right of a call. Rejects with Problems such as `too-many-uploads`,
 * `storage-full`, `not-signed-in`, `call-over`.
 */
export async function createUpload(send: Fetch, signal?: AbortSignal, call?: string): Promise<UploadHandle> {
  const right = call === undefined ? {} : { authorization: `Bearer ${call}` };
  const headers = { ...TUS, "upload-defer-length": "1", ...right };
  const init: RequestInit = { method: "POST", headers, credentials: call === undefined ? "same-origin" : "omit" };
  const response = await answered(send, COLLECTION, init, SILENCE_MS, signal);
  const id = (response.headers.get("location") ?? "").split("/").at(-1) ?? "";
  const capability = response.headers.get("upload-capability") ?? "";
  if (!UPLOAD_ID.test(id) || capability === "") throw malformed("the address of an upload");
  return { id, capability };
}

/** Asks where the upload stands; whoever still writes to it is stopped by this. */
export async function askUpload(
  send: Fetch,
  upload: UploadHandle,
  place: UploadPlace,
  signal?: AbortSignal,
): Promise<UploadPlace> {
  const response = await answered(
    send,
    addressOf(upload),
    { method: "HEAD", headers: headersOf(upload) },
    SILENCE_MS,
    signal,
  );
  return moved(place, response);
}

/** Sends one piece, once; `length` is the whole upload's, as soon as it is known. After any failure only `askUpload` tells the truth. */
export async function appendUpload(
  send: Fetch,
  upload: UploadHandle,
  place: UploadPlace,
  piece: Uint8Array<ArrayBuffer>,
  length: number | null,
  signal?: AbortSignal,
): Promise<UploadPlace> {
  const headers = {
    ...headersOf(upload),
    "content-type": "application/offset+octet-stream",
    "upload-offset": String(place.offset),
    ...(length === null ? {} : { "upload-length": String(length) }),
  };
  const limitMs = SILENCE_MS + piece.byteLength / SLOWEST_BYTES_PER_MS;
  const response = await answered(send, addressOf(upload), { method: "PATCH", headers, body: piece }, limitMs, signal);
  const sent = Math.max(place.sent, place.offset + piece.byteLength);
  return moved({ offset: place.offset, sent }, response);
}

/** Takes an upload back; one that is gone already is fine. */
export async function terminateUpload(send: Fetch, upload: UploadHandle, signal?: AbortSignal): Promise<void> {
  try {
    await answered(send, addressOf(upload), { method: "DELETE", headers: headersOf(upload) }, SILENCE_MS, signal);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** Whether the server has this upload no more, or gave back less sense than can be worked with: a new one is needed. */
export function isGone(error: unknown): boolean {
  if (!(error instanceof Problem)) return false;
  return GONE_STATUS.has(error.status) || GONE_CODES.has(error.code);
}

const GONE_STATUS: ReadonlySet<number> = new Set([401, 404, 410]);
const GONE_CODES: ReadonlySet<string> = new Set(["upload-offset-impossible", "upload-claimed"]);

function addressOf(upload: UploadHandle): string {
  return `${COLLECTION}/${upload.id}`;
}

function headersOf(upload: UploadHandle): Record<string, string> {
  return { ...TUS, authorization: `Bearer ${upload.capability}` };
}

function moved(place: UploadPlace, response: Response): UploadPlace {
  const text = response.headers.get("upload-offset") ?? "";
  if (!/^[0-9]{1,15}$/.test(text)) throw malformed("an offset");
  const offset = Number(text);
  if (offset > place.sent) {
    throw new Problem("The server claims bytes that were never sent", { code: "upload-offset-impossible", status: 0 });
  }
  return { offset, sent: place.sent };
}

async function answered(
  send: Fetch,
  url: string,
  init: RequestInit,
  limitMs: number,
  signal?: AbortSignal,
): Promise<Response> {
  const limited = within(limitMs, signal);
  let response: Response;
  try {
    response = await send(url, {
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      referrerPolicy: "no-referrer",
      ...init,
      signal: limited,
    });
  } catch (error) {
    throw broken(error, limited);
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}
