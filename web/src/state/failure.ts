/** What went wrong, as screens are told it: by its stable code. */

import { ProtocolError } from "../protocol/errors";
import { StorageError } from "../storage/errors";
import { Problem } from "../transfer/problem";

export interface Failure {
  code: string;
  retryAfterS?: number | undefined;
}

/** A refusal of this room. */
export class Refused extends Error {
  override readonly name = "Refused";

  constructor(readonly code: string) {
    super(code);
  }
}

/** The code of whatever was thrown; a fault of ours is `fault`, and told to the console. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Problem) return ofProblem(error);
  if (error instanceof ProtocolError || error instanceof StorageError || error instanceof Refused) {
    return { code: error.code };
  }
  if (error instanceof Error && "code" in error && typeof error.code === "string") return { code: error.code };
  if (error instanceof DOMException && error.name === "AbortError") return { code: "closed" };
  console.error(error);
  return { code: "fault" };
}

export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

function ofProblem({ code, status, retryAfterS }: Problem): Failure {
  const told = code === "" ? (status >= 500 ? "busy" : `status-${status}`) : code;
  return retryAfterS > 0 ? { code: told, retryAfterS } : { code: told };
}
