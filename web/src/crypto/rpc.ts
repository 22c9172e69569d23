// Typed calls over a port: methods of an object here become promises there. Refusals keep their codes on the way.

import { ProtocolError, type Refusal } from "../protocol/errors";
import { AgeError, type AgeFault } from "./age-error";

/** What a worker, a port and a worker's own scope have in common. */
export interface Endpoint {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
}

type Methods = object;
/** The methods of `T`, each giving a promise. */
export type Remote<T> = {
  readonly [K in keyof T as T[K] extends (...args: never[]) => unknown ? K : never]: T[K] extends (
    ...args: infer A
  ) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never;
};

type WireError =
  | { kind: "refusal"; code: Refusal; detail: string }
  | { kind: "age"; fault: AgeFault; message: string }
  | { kind: "foreign"; ref: number }
  | { kind: "fault"; message: string };
type Call = { call: number; method: string; args: unknown[] };
type Answer = { answer: number; value: unknown } | { answer: number; error: WireError };

/**
 * Errors of the other side's own callbacks (a download that is offline) come back as the very objects that they were:
 * the side that threw them keeps them and only a number travels.
 */
export class ForeignErrors {
  readonly #kept = new Map<number, unknown>();
  #next = 1;

  keep(error: unknown): number {
    this.#kept.set(this.#next, error);
    return this.#next++;
  }

  claim(ref: number): unknown {
    const error = this.#kept.get(ref);
    this.#kept.delete(ref);
    return error ?? new Error("an error that is no longer known");
  }
}

/** An error that this side only passes on. */
class Passing extends Error {
  constructor(readonly ref: number) {
    super("an error of the other side");
  }
}

/** Answers calls by the methods of `target`. Only own and prototype functions that do not begin with `_` are reached. */
export function serve(endpoint: Endpoint, target: Methods, foreign?: ForeignErrors): void {
  endpoint.addEventListener("message", (event: MessageEvent) => {
    const call = event.data as Call | Answer;
    if (!("call" in call)) return;
    void run(target, call).then(
      (value) => endpoint.postMessage({ answer: call.call, value }, transferOf(value)),
      (error: unknown) => endpoint.postMessage({ answer: call.call, error: written(error, foreign) }, []),
    );
  });
}

/** Calls the other side. `fail` ends all that waits, when the other side has ended. */
export class Caller {
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(reason: unknown): void }>();
  #next = 1;
  #failed: Error | null = null;

  constructor(
    private readonly endpoint: Endpoint,
    private readonly foreign?: ForeignErrors,
  ) {
    endpoint.addEventListener("message", (event: MessageEvent) => this.#settle(event.data as Call | Answer));
  }

  call(method: string, args: readonly unknown[], transfer: Transferable[] = []): Promise<unknown> {
    if (this.#failed) return Promise.reject(this.#failed);
    return new Promise((resolve, reject) => {
      const call = this.#next++;
      this.#waiting.set(call, { resolve, reject });
      this.endpoint.postMessage({ call, method, args }, transfer);
    });
  }

  fail(reason: Error): void {
    this.#failed = reason;
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }

  #settle(answer: Call | Answer): void {
    if (!("answer" in answer)) return;
    const waiting = this.#waiting.get(answer.answer);
    this.#waiting.delete(answer.answer);
    if ("error" in answer) waiting?.reject(read(answer.error, this.foreign));
    else waiting?.resolve(answer.value);
  }
}

/** Makes an object whose every method calls the other side's of the same name. */
export function remote<T extends Methods>(caller: Caller): Remote<T> {
  const method =
    (name: string) =>
    (...args: unknown[]) =>
      caller.call(name, args);
  return new Proxy({} as Remote<T>, {
    // A promise asks whatever it resolves to for `then`: this is none.
    get: (_, name) => (typeof name === "string" && name !== "then" ? method(name) : undefined),
  });
}

async function run(target: Methods, { method, args }: Call): Promise<unknown> {
  const found = (target as Record<string, unknown>)[method];
  const isReachable = method !== "constructor" && !(method in Object.prototype) && typeof found === "function";
  if (!isReachable) throw new TypeError(`no method ${method}`);
  return (found as (...args: unknown[]) => unknown).apply(target, args);
}

function written(error: unknown, foreign: ForeignErrors | undefined): WireError {
  if (error instanceof ProtocolError) return { kind: "refusal", code: error.code, detail: error.detail };
  if (error instanceof AgeError) return { kind: "age", fault: error.fault, message: error.message };
  if (error instanceof Passing) return { kind: "foreign", ref: error.ref };
  if (foreign) return { kind: "foreign", ref: foreign.keep(error) };
  return { kind: "fault", message: error instanceof Error ? `${error.name}: ${error.message}` : "unknown" };
}

function read(error: WireError, foreign: ForeignErrors | undefined): unknown {
  switch (error.kind) {
    case "refusal":
      return new ProtocolError(error.code, error.detail);
    case "age":
      return new AgeError(error.fault, error.message);
    case "foreign":
      return foreign ? foreign.claim(error.ref) : new Passing(error.ref);
    case "fault":
      return new Error(error.message);
  }
}

/** Bytes that fill their buffer go over without a copy. */
function transferOf(value: unknown): Transferable[] {
  if (!(value instanceof Uint8Array) || value.byteLength !== value.buffer.byteLength) return [];
  return value.buffer instanceof ArrayBuffer ? [value.buffer] : [];
}
