/** Received videos that stay on this device once they were fetched, so that they play again without the network. */

import { Manifest } from "../crypto/parts";
import type { VideoDetails } from "../crypto/service";
import { PART_BYTES } from "../protocol/limits";
import { KeptVideos } from "../storage/kept";
import type { DeviceVault } from "../storage/keys";
import { rangedVideo, type RangedVideo, type RangesOptions } from "../transfer/ranges";

interface Owner {
  readonly vault: DeviceVault;
}

export class Keeping {
  /** Which of them are here whole. */
  here: ReadonlySet<string> = $state.raw(new Set());
  readonly #kept: KeptVideos;
  #isClosed = false;

  constructor({ vault }: Owner) {
    this.#kept = new KeptVideos(vault);
    void this.#look();
  }

  /** A video to be opened: what is here comes from here, the rest from the server and stays. */
  source(id: string, video: VideoDetails, options: RangesOptions): RangedVideo {
    const remote = rangedVideo(id, video.size, options);
    const manifest = new Manifest(video.size, video.sha256);
    const admitted = this.#kept.admit(id, video.size, Date.now()).catch(() => false);
    return {
      size: video.size,
      read: async (offset, length) => {
        const number = offset / PART_BYTES;
        const isPart = Number.isInteger(number) && number < video.sha256.length && length === manifest.partSize(number);
        if (!isPart) return remote.read(offset, length);
        const kept = (await admitted) ? await this.#kept.part(id, number).catch(() => null) : null;
        if (kept) return kept;
        const data = await remote.read(offset, length);
        // A copy: what is returned goes on to the worker that opens it.
        if (await admitted) void this.#keep(id, number, manifest, data.slice());
        return data;
      },
      close: () => remote.close(),
    };
  }

  async drop(id: string): Promise<void> {
    await this.#kept.drop(id).catch(() => undefined);
    await this.#look();
  }

  /** Lets go of what is no longer in the list. */
  async keepOnly(ids: ReadonlySet<string>): Promise<void> {
    await this.#kept.keepOnly(ids).catch(() => undefined);
    await this.#look();
  }

  close(): void {
    this.#isClosed = true;
  }

  /** Only what is the sender's: else a spoilt part would stay here for good. A full device keeps no more of it. */
  async #keep(id: string, number: number, manifest: Manifest, data: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      await manifest.check(number, data);
      if (await this.#kept.put(id, number, data)) await this.#look();
    } catch {
      // It plays from the server.
    }
  }

  async #look(): Promise<void> {
    const here = await this.#kept.whole().catch(() => new Set<string>());
    if (!this.#isClosed) this.here = here;
  }
}
