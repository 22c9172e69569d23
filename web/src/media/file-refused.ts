/**
 * Why a file or a cut of one was not turned into a draft. Nothing is left of the attempt.
 * - `file-empty`: no bytes. - `file-unknown`: no kind of video that is known here. - `file-damaged`: it begins as one and then ends, or makes no sense.
 * - `file-no-picture`: sound only. - `file-undecodable`: this browser has no decoder for `codec`. - `file-protected`: copy protection.
 * - `file-too-long`: it lasts `ms`; its first three minutes can be taken. - `file-too-heavy`: even turned it is larger than a message may be.
 * - `cut-too-short`: less than half a second would be left.
 * - `no-encoder`: this browser cannot write video.
 */
export type FileRefusal = (typeof FILE_REFUSALS)[number];

export const FILE_REFUSALS = [
  "file-empty",
  "file-unknown",
  "file-damaged",
  "file-no-picture",
  "file-undecodable",
  "file-protected",
  "file-too-long",
  "file-too-heavy",
  "cut-too-short",
  "no-encoder",
] as const;

/** What a sentence about it names. */
export interface FileFacts {
  /** The length of a file that is too long; of one that is damaged, how far it can be read, when any of it can. */
  ms?: number;
  /** What cannot be decoded: `hevc`, `ac3`, … */
  codec?: string;
  /** Which track that is: without its sound a file may still be taken. */
  track?: "picture" | "sound";
}

export class FileRefused extends Error {
  override readonly name = "FileRefused";

  constructor(
    readonly code: FileRefusal,
    readonly facts: FileFacts = {},
    options?: ErrorOptions,
  ) {
    super(code, options);
  }
}
