import type { Plaintext } from "./plaintext.ts";

export interface SaveOptions {
  /** 0 to 1. */
  onProgress?: (done: number) => void;
  signal?: AbortSignal;
}

export type Saved = Pick<Plaintext, "plainSize" | "stream">;

/** The opened video is none that can be turned into a file. */
export class NotSaveable extends Error {
  readonly code = "not-a-video";
  override readonly name = "NotSaveable";
}

/** All of a video from front to back. Whatever reading throws comes out unchanged. */
export async function* piecesOf(video: Saved, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = video.stream(0).getReader();
  try {
    for (;;) {
      signal?.throwIfAborted();
      const { value, done } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // Frees the download when the reader leaves early; after the end it does nothing.
    reader.cancel().catch(() => undefined);
  }
}
