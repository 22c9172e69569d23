/** Our server, spoken to by `fetch` with the session cookie; shapes come from the contract, refusals are `Problem`s. */

import type { paths } from "../protocol/api";
import { malformed, offline, Problem, problemOf, redirected, tooLarge } from "./problem";
import { wholeOf } from "./whole";
import { Patience, WAITING, type Waiting } from "./retry";

export { Problem } from "./problem";

export type Fetch = (input: string, init: RequestInit) => Promise<Response>;
export type Method = "get" | "post" | "put" | "delete";

type Operation<P extends keyof paths, M extends Method> = M extends keyof paths[P] ? paths[P][M] : never;
type JsonOf<T> = T extends { content: { "application/json": infer J } } ? J : never;
type AnswerOf<O> = O extends { responses: infer R }
  ? R extends { 200: infer A }
    ? JsonOf<A>
    : R extends { 201: infer A }
      ? JsonOf<A>
      : undefined
  : never;
type BodyOf<O> = O extends { requestBody?: infer B }
  ? [NonNullable<B>] extends [never]
    ? undefined
    : JsonOf<NonNullable<B>>
  : never;
type PathsWith<M extends Method> = { [P in keyof paths]: paths[P] extends Record<M, object> ? P : never }[keyof paths];

export type Answer<M extends Method, P extends keyof paths> = AnswerOf<Operation<P, M>>;
export type Body<M extends Method, P extends keyof paths> = BodyOf<Operation<P, M>>;

export type Extras = {
  /** Values for the `{…}` of the path. */
  path?: Readonly<Record<string, string>>;
  query?: Readonly<Record<string, string | number>>;
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
  timeoutMs?: number;
};

export type Octets = { data: Uint8Array<ArrayBuffer>; etag: string };

const TIMEOUT_MS = 30_000;
/** Largest answer taken whole: a page of 100 envelopes is about 4 MiB. */
const ANSWER_BYTES = 8 * 1024 * 1024;
const OCTETS = "application/octet-stream";

export type ApiOptions = { fetch?: Fetch; waiting?: Waiting };

/** One origin, one session: whoever is signed in here by the cookie. */
export class Api {
  readonly #fetch: Fetch;
  readonly #waiting: Waiting;

  constructor(options: ApiOptions = {}) {
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
    this.#waiting = options.waiting ?? WAITING;
  }

  get<P extends PathsWith<"get">>(path: P, extras: Extras = {}): Promise<Answer<"get", P>> {
    return this.#json("get", path, undefined, extras) as Promise<Answer<"get", P>>;
  }

  post<P extends PathsWith<"post">>(path: P, body: Body<"post", P>, extras: Extras = {}): Promise<Answer<"post", P>> {
    return this.#json("post", path, body, extras) as Promise<Answer<"post", P>>;
  }

  put<P extends PathsWith<"put">>(path: P, body: Body<"put", P>, extras: Extras = {}): Promise<Answer<"put", P>> {
    return this.#json("put", path, body, extras) as Promise<Answer<"put", P>>;
  }

  async delete<P extends PathsWith<"delete">>(path: P, extras: Extras = {}, body?: Body<"delete", P>): Promise<void> {
    await this.#json("delete", path, body, extras);
  }

  /** Gets a file such as keyring, shard or details; its ETag is what `If-Match` takes. */
  async getOctets(path: PathsWith<"get">, extras: Extras = {}): Promise<Octets> {
    const response = await this.request("GET", address(path, extras), initOf(extras));
    return { data: await arrived(response), etag: response.headers.get("etag") ?? "" };
  }

  /** Stores a file if the one there is `replaces` (null: if there is none). Gives the new ETag. */
  async putOctets(
    path: PathsWith<"put">,
    data: Uint8Array<ArrayBuffer>,
    replaces: string | null,
    extras: Extras = {},
  ): Promise<string> {
    const condition = replaces === null ? { "if-none-match": "*" } : { "if-match": replaces };
    const headers = { ...extras.headers, ...condition, "content-type": OCTETS };
    const init = { ...initOf({ ...extras, headers }), body: data };
    return (await this.request("PUT", address(path, extras), init)).headers.get("etag") ?? "";
  }

  /** One request; the answer is whole or a stream, its status below 300 or 304. Rejects with a Problem, or as the signal was aborted. */
  async request(method: string, url: string, init: RequestInit = {}): Promise<Response> {
    const response = await this.#fetched(url, {
      cache: "no-store",
      credentials: "same-origin",
      redirect: "manual",
      referrerPolicy: "no-referrer",
      ...init,
      method,
    });
    if (response.type === "opaqueredirect") throw redirected();
    if (!response.ok && response.status !== 304) throw await problemOf(response);
    return response;
  }

  /** Repeats what may be repeated until it is answered or refused; passing trouble is told to `onTrouble` and waited out. */
  async patiently<T>(
    attempt: () => Promise<T>,
    signal: AbortSignal,
    onTrouble: (problem: Problem) => void = () => undefined,
  ): Promise<T> {
    const patience = new Patience(this.#waiting);
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof Problem) || !error.isPassing) throw error;
        onTrouble(error);
        await patience.wait(signal, error.retryAfterS);
      }
    }
  }

  async #json(method: Method, path: keyof paths, body: unknown, extras: Extras): Promise<unknown> {
    const headers = body === undefined ? extras.headers : { ...extras.headers, "content-type": "application/json" };
    const init = initOf({ ...extras, ...(headers === undefined ? {} : { headers }) });
    const sent = body === undefined ? init : { ...init, body: JSON.stringify(body) };
    const response = await this.request(method.toUpperCase(), address(path, extras), sent);
    if (response.status === 204) return undefined;
    const bytes = await arrived(response);
    try {
      return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch {
      throw malformed("JSON");
    }
  }

  async #fetched(url: string, init: RequestInit): Promise<Response> {
    try {
      return await this.#fetch(url, init);
    } catch (error) {
      throw broken(error, init.signal);
    }
  }
}

/** A body that breaks while it is read is an answer that did not arrive. */
async function arrived(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const whole = await wholeOf(response, ANSWER_BYTES).catch((error: unknown) => {
    throw broken(error, undefined);
  });
  if (whole === null) throw tooLarge();
  return whole;
}

/** What the caller aborted stays an abort; everything else that breaks is `offline`. */
export function broken(error: unknown, signal: AbortSignal | null | undefined): unknown {
  const wanted =
    signal?.aborted === true && !(signal.reason instanceof DOMException && signal.reason.name === "TimeoutError");
  return wanted ? signal.reason : offline(error);
}

/** Fills the `{…}` of a path of the contract and adds the query. */
export function address(path: string, extras: Pick<Extras, "path" | "query"> = {}): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = extras.path?.[name];
    if (value === undefined || value === "") throw new TypeError(`path value ${name}`);
    return encodeURIComponent(value);
  });
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(extras.query ?? {})) query.set(name, String(value));
  return query.size === 0 ? filled : `${filled}?${query}`;
}

/** Aborted by the caller, or when there is no answer in time. */
export function within(ms: number, signal?: AbortSignal): AbortSignal {
  const limit = AbortSignal.timeout(Math.ceil(ms));
  return signal === undefined ? limit : AbortSignal.any([signal, limit]);
}

function initOf(extras: Extras): RequestInit {
  return {
    ...(extras.headers === undefined ? {} : { headers: extras.headers }),
    signal: within(extras.timeoutMs ?? TIMEOUT_MS, extras.signal),
  };
}
