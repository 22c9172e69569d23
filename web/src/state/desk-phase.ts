/** How far a page of the operator's desk is. */

import { failureOf, type Failure } from "./failure";

export type DeskPhase<T> =
  | { kind: "loading" }
  | { kind: "ready"; desk: T }
  | { kind: "failed"; failure: Failure }
  | { kind: "offline" }
  /** Whoever looks is no operator. */
  | { kind: "closed" };

/** What a page says when the server did not answer, or not as it was hoped. */
export function refusedBy(error: unknown): Exclude<DeskPhase<never>, { kind: "ready" }> {
  const failure = failureOf(error);
  if (failure.code === "offline") return { kind: "offline" };
  return failure.code === "not-found" ? { kind: "closed" } : { kind: "failed", failure };
}
