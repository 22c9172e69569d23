// What the crypto worker answers: the session's methods, and videos that it opens for a page that fetches.

import { Caller } from "./rpc";
import { Session } from "./session";
import { openVideo, type OpenVideo } from "./video";

/** A video opened in the worker; the page reads it by this number. */
export interface VideoHandle {
  readonly video: number;
  readonly plainSize: number;
}

export class WorkerMethods extends Session {
  readonly #videos = new Map<number, { video: OpenVideo; port: MessagePort }>();
  #nextVideo = 1;

  /** `port` answers `read(offset, length)` with bytes of the encrypted file. */
  async openVideo(messageKey: string, size: number, parts: readonly string[], port: MessagePort): Promise<VideoHandle> {
    const source = new Caller(port);
    port.start();
    const read = (offset: number, length: number) => source.call("read", [offset, length]) as Promise<Uint8Array>;
    try {
      const video = await openVideo(messageKey, { size, read }, parts);
      const number = this.#nextVideo++;
      this.#videos.set(number, { video, port });
      return { video: number, plainSize: video.plainSize };
    } catch (error) {
      port.close();
      throw error;
    }
  }

  readVideo(video: number, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.#opened(video).read(offset, length);
  }

  verifyVideoEnd(video: number): Promise<void> {
    return this.#opened(video).verifyEnd();
  }

  closeVideo(video: number): void {
    this.#videos.get(video)?.port.close();
    this.#videos.delete(video);
  }

  #opened(video: number): OpenVideo {
    const opened = this.#videos.get(video);
    if (!opened) throw new Error("this video was closed");
    return opened.video;
  }
}
