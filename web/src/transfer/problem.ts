/** What a server refuses, and what keeps its answer from arriving. */

import { wholeOf } from "./whole";

/** The codes of this room that no server sends. */
export type LocalCode = "offline" | "answer-malformed" | "answer-too-large" | "redirected" | "upload-offset-impossible";

export type ProblemFacts = {
  code: string;
  /** 0 when there was no answer. */
  status: number;
  detail?: string;
  hint?: string;
  retryAfterS?: number;
  limit?: number;
  recipients?: readonly string[];
  instance?: string;
};

/** A refusal of RFC 9457, or an answer that never came (`offline`). `code` is stable; docs/reference/errors.md lists them. */
export class Problem extends Error {
  readonly code: string;
  readonly status: number;
  readonly detail: string;
  readonly hint: string;
  readonly retryAfterS: number;
  readonly limit: number | null;
  readonly recipients: readonly string[];
  readonly instance: string;

  constructor(title: string, facts: ProblemFacts) {
    super(title);
    this.name = "Problem";
    this.code = facts.code;
    this.status = facts.status;
    this.detail = facts.detail ?? "";
    this.hint = facts.hint ?? "";
    this.retryAfterS = facts.retryAfterS ?? 0;
    this.limit = facts.limit ?? null;
    this.recipients = facts.recipients ?? [];
    this.instance = facts.instance ?? "";
  }

  /** Whether the same request may succeed a little later, without anybody doing anything. */
  get isPassing(): boolean {
    return PASSING_CODES.has(this.code) || (this.code === "" && PASSING_STATUS.has(this.status));
  }
}

const PASSING_CODES: ReadonlySet<string> = new Set([
  "offline",
  "locked",
  "busy",
  "timeout",
  "storage-full",
  "rate-limited",
  "idempotency-in-flight",
  "internal",
]);
const PASSING_STATUS: ReadonlySet<number> = new Set([408, 423, 429, 500, 502, 503, 504, 507]);
const PROBLEM_BYTES = 64 * 1024;
const LONGEST_WAIT_S = 86_400;

/** No answer: no connection, a connection that broke, or none in time. */
export function offline(reason: unknown): Problem {
  const detail = reason instanceof Error ? reason.name : "";
  return new Problem("The server does not answer", { code: "offline", status: 0, detail });
}

/** An answer that is not what it must be. */
export function malformed(what: string): Problem {
  return new Problem(`The server’s answer is not what it must be: ${what}`, { code: "answer-malformed", status: 0 });
}

/** An answer that does not end where any honest one does. */
export function tooLarge(): Problem {
  return new Problem("The server’s answer is larger than it may be", { code: "answer-too-large", status: 0 });
}

/** An answer that sends elsewhere, which is never followed. */
export function redirected(): Problem {
  return new Problem("The server sends elsewhere", { code: "redirected", status: 0 });
}

/** Reads the problem of an answer; a proxy's own error page becomes one without a code. */
export async function problemOf(response: Response): Promise<Problem> {
  const told = await readFacts(response);
  const retryAfterS = told.retry_after ?? retryAfterHeader(response);
  return new Problem(told.title ?? `The server answers ${response.status}`, {
    code: told.code ?? "",
    status: response.status,
    ...(told.detail === undefined ? {} : { detail: told.detail }),
    ...(told.hint === undefined ? {} : { hint: told.hint }),
    ...(told.instance === undefined ? {} : { instance: told.instance }),
    ...(told.limit === undefined ? {} : { limit: told.limit }),
    ...(told.recipients === undefined ? {} : { recipients: told.recipients }),
    retryAfterS: Math.min(retryAfterS, LONGEST_WAIT_S),
  });
}

type Told = {
  title?: string;
  code?: string;
  detail?: string;
  hint?: string;
  instance?: string;
  retry_after?: number;
  limit?: number;
  recipients?: readonly string[];
};

async function readFacts(response: Response): Promise<Told> {
  try {
    const bytes = await wholeOf(response, PROBLEM_BYTES);
    const told: unknown = bytes === null ? null : JSON.parse(new TextDecoder().decode(bytes));
    return isRecord(told) ? checkedFacts(told) : {};
  } catch {
    return {};
  }
}

function checkedFacts(told: Record<string, unknown>): Told {
  const facts: Told = {};
  for (const key of ["title", "code", "detail", "hint", "instance"] as const) {
    const value = told[key];
    if (typeof value === "string") facts[key] = value;
  }
  for (const key of ["retry_after", "limit"] as const) {
    const value = told[key];
    if (typeof value === "number" && value >= 0) facts[key] = value;
  }
  const names = told["recipients"];
  if (Array.isArray(names)) facts.recipients = names.filter((name) => typeof name === "string");
  return facts;
}

function retryAfterHeader(response: Response): number {
  const asked = response.headers.get("retry-after") ?? "";
  return /^[0-9]{1,9}$/.test(asked) ? Number(asked) : 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
