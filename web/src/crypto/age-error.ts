/**
 * Why a file or key is refused. `no-match`: it is for somebody else. `header`: malformed, altered, cut off, or not
 * what the caller demands. `payload`: a chunk is not authentic, or something follows the final one.
 * `truncated`: it ends without an authentic final chunk (of a short final chunk, damage cannot be told from a cut).
 * `bad-key`: no key of the expected kind.
 */
export type AgeFault = "no-match" | "header" | "payload" | "truncated" | "bad-key";

/** A refused age file or key; the text never shows a secret. */
export class AgeError extends Error {
  override readonly name = "AgeError";

  constructor(
    readonly fault: AgeFault,
    message: string = fault,
  ) {
    super(message);
  }
}
