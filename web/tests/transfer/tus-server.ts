/** A tus server after docs/reference/uploads.md, in memory, that can be cut, restarted and made to refuse. */

import type { Fetch } from "../../src/transfer/http";

export type Fault =
  | { kind: "cut-before" }
  | { kind: "cut-in-body"; after: number }
  | { kind: "answer-lost" }
  | { kind: "refuse"; status: number; code: string; retryAfter?: number };

type Stored = { capability: string; bytes: Uint8Array<ArrayBuffer>; length: number | null; gone: boolean };

const NETWORK = (): TypeError => new TypeError("Failed to fetch");

export class TusServer {
  readonly uploads = new Map<string, Stored>();
  /** Taken one by one by the requests that come. */
  readonly faults: Fault[] = [];
  readonly pieces: number[] = [];
  requests = 0;
  /** What a PATCH is said to have lasted, told to a fake clock. */
  onPatch: (bytes: number) => void = () => undefined;
  /** A HEAD that lies. */
  claimedOffset: number | null = null;
  #count = 0;

  readonly fetch: Fetch = async (url, init) => {
    this.requests += 1;
    init.signal?.throwIfAborted();
    await Promise.resolve();
    const headers = new Headers(init.headers);
    if (headers.get("tus-resumable") !== "1.0.0") return refusal(412, "tus-version");
    if (init.method === "POST") return this.#create(headers);
    const stored = this.uploads.get(url.split("/").at(-1) ?? "");
    if (stored === undefined) return refusal(404, "not-found");
    if (headers.get("authorization") !== `Bearer ${stored.capability}`) return refusal(401, "not-signed-in");
    if (init.credentials !== "omit") return refusal(400, "bad-request");
    if (stored.gone) return refusal(410, "upload-gone");
    return this.#answer(stored, init, headers);
  };

  bytesOf(id: string): Uint8Array {
    return this.#stored(id).bytes;
  }

  isFinished(id: string): boolean {
    const stored = this.#stored(id);
    return stored.length === stored.bytes.length;
  }

  lose(id: string): void {
    this.#stored(id).gone = true;
  }

  #stored(id: string): Stored {
    const stored = this.uploads.get(id);
    if (stored === undefined) throw new Error(`no upload ${id}`);
    return stored;
  }

  #create(headers: Headers): Response {
    if (headers.get("upload-defer-length") !== "1") return refusal(400, "bad-length");
    this.#count += 1;
    const id = `upl_${"a".repeat(25)}${"abcdefghijklmnop"[this.#count]}`;
    const capability = `capability-${this.#count}`;
    this.uploads.set(id, { capability, bytes: new Uint8Array(0), length: null, gone: false });
    const told = { location: `/api/v1/uploads/${id}`, "upload-capability": capability, "upload-offset": "0" };
    return new Response(null, { status: 201, headers: told });
  }

  #answer(stored: Stored, init: RequestInit, headers: Headers): Response {
    const fault = this.faults.shift();
    if (fault?.kind === "cut-before") throw NETWORK();
    if (fault?.kind === "refuse") return refusal(fault.status, fault.code, fault.retryAfter);
    if (init.method === "HEAD") return told(200, this.claimedOffset ?? stored.bytes.length);
    if (init.method === "DELETE") {
      stored.gone = true;
      return told(204, 0);
    }
    const answer = this.#patch(stored, headers, init.body as Uint8Array<ArrayBuffer>, fault);
    if (fault !== undefined) throw NETWORK();
    return answer;
  }

  #patch(stored: Stored, headers: Headers, body: Uint8Array<ArrayBuffer>, fault: Fault | undefined): Response {
    this.onPatch(body.length);
    const offset = Number(headers.get("upload-offset"));
    const length = headers.get("upload-length");
    const isWhole = stored.length !== null && stored.bytes.length === stored.length;
    if (isWhole && !(offset === stored.length && body.length === 0)) return refusal(409, "upload-finished");
    if (offset !== stored.bytes.length) return refusal(409, "offset-mismatch");
    if (length !== null && stored.length !== null && Number(length) !== stored.length)
      return refusal(400, "bad-length");
    if (length !== null) stored.length = Number(length);
    const taken = fault?.kind === "cut-in-body" ? body.subarray(0, fault.after) : body;
    if (stored.length !== null && offset + taken.length > stored.length) return refusal(413, "too-large");
    this.pieces.push(taken.length);
    const grown = new Uint8Array(offset + taken.length);
    grown.set(stored.bytes);
    grown.set(taken, offset);
    stored.bytes = grown;
    return told(204, grown.length);
  }
}

function told(status: number, offset: number): Response {
  return new Response(null, { status, headers: { "upload-offset": String(offset) } });
}

function refusal(status: number, code: string, retryAfter?: number): Response {
  const body = { type: `/problems/${code}`, title: code, status, code, instance: "0", retry_after: retryAfter };
  return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/problem+json" } });
}
