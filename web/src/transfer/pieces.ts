/**
 * Where a server says that pieces of a video lie, for a while: in a bucket, which gets no credentials and is not trusted.
 * The page's policy lets it connect there and nowhere else.
 */

import { malformed } from "./problem";

export type Piece = { readonly offset: number; readonly size: number; readonly url: string };

const TYPE = "application/vnd.restante.pieces+json";
/** What is accepted of a video: its bytes, or where they are. */
export const EITHER = `${TYPE}, application/octet-stream`;
/** Largest answer with addresses. */
export const PIECES_BYTES = 512 * 1024;
const MOST = 64;
/** So long before an address ends none is opened any more. */
const MARGIN_MS = 15_000;
const LOOPBACK = /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?\//;

export function arePieces(response: Response): boolean {
  return response.headers.get("content-type") === TYPE;
}

/** Pieces without gaps, to be opened for a while. */
export class Pieces {
  readonly #pieces: readonly Piece[];
  readonly #untilMs: number;

  constructor(pieces: readonly Piece[], untilMs: number) {
    this.#pieces = pieces;
    this.#untilMs = untilMs;
  }

  /** `nowMs` is of the clock that `at` is asked with. @throws Problem answer-malformed */
  static read(bytes: Uint8Array, nowMs: number): Pieces {
    const told = parsed(bytes);
    const pieces = told.pieces.filter(isPiece);
    const isWhole = pieces.length > 0 && pieces.length === told.pieces.length && pieces.length <= MOST;
    if (!isWhole || pieces.some((piece, at) => at > 0 && piece.offset !== endOf(pieces[at - 1])))
      throw malformed("pieces of a video");
    return new Pieces(pieces, nowMs + told.for_s * 1000 - MARGIN_MS);
  }

  /** The piece that has this byte, while its address lasts. */
  at(offset: number, nowMs: number): Piece | null {
    if (nowMs >= this.#untilMs) return null;
    return this.#pieces.find((piece) => piece.offset <= offset && offset < endOf(piece)) ?? null;
  }
}

export const endOf = (piece: Piece | undefined): number => (piece === undefined ? -1 : piece.offset + piece.size);

function parsed(bytes: Uint8Array): { pieces: readonly unknown[]; for_s: number } {
  try {
    const told = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as Record<string, unknown>;
    const [pieces, lasts] = [told["pieces"], told["for_s"]];
    if (Array.isArray(pieces) && typeof lasts === "number") return { pieces, for_s: lasts };
  } catch {
    // told below
  }
  throw malformed("pieces of a video");
}

function isPiece(told: unknown): told is Piece {
  const { offset, size, url } = (told ?? {}) as Partial<Record<keyof Piece, unknown>>;
  const isPlace = Number.isSafeInteger(offset) && Number.isSafeInteger(size) && Number(offset) >= 0 && Number(size) > 0;
  return isPlace && typeof url === "string" && (url.startsWith("https://") || LOOPBACK.test(url));
}
