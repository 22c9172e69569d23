/** Why there is no camera: not allowed, none there, held by another program, or a page that may not ask. */
export type CaptureRefusal = "denied" | "none" | "busy" | "insecure";

export class CaptureRefused extends Error {
  readonly code: CaptureRefusal;

  constructor(code: CaptureRefusal, options?: ErrorOptions) {
    super(code, options);
    this.name = "CaptureRefused";
    this.code = code;
  }
}

/** Gives what a browser answered its code. */
export function refused(error: unknown): CaptureRefused {
  return error instanceof CaptureRefused ? error : new CaptureRefused(refusalOf(error), { cause: error });
}

function refusalOf(error: unknown): CaptureRefusal {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError") return "denied";
  if (name === "SecurityError") return "insecure";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "none";
  return "busy";
}
