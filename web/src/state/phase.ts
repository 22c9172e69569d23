/** What a list is doing, as its screen says it. */

import { Problem } from "../transfer/problem";
import { failureOf, type Failure } from "./failure";

export type Phase =
  { kind: "loading" } | { kind: "ready" } | { kind: "offline" } | { kind: "failed"; failure: Failure };

/** What a list says when reading it did not succeed. */
export function phaseOf(error: unknown): Phase {
  const failure = failureOf(error);
  return error instanceof Problem && error.code === "offline" ? { kind: "offline" } : { kind: "failed", failure };
}
