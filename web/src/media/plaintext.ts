/** An opened video, as crypto gives it: verified plaintext at any place. */
export interface Plaintext {
  readonly plainSize: number;
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Errors, instead of closing, when the end is not authentic. */
  stream(from: number): ReadableStream<Uint8Array>;
}

/** What a failure of reading means for whoever watches; null when it is none of the video's (a network that is gone). */
export function faultOf(error: unknown): "cut-off" | "damaged" | null {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== "string" || !code.startsWith("video-")) return null;
  return code === "video-cut-off" ? "cut-off" : "damaged";
}
