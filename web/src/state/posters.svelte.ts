/** Pictures of messages as addresses that a page may show. They never leave this page, and end with it. */

import { SvelteMap } from "svelte/reactivity";
import { unb64 } from "../protocol/encoding";

interface Kept {
  putPoster(id: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

export class Posters {
  readonly #urls = new SvelteMap<string, string>();
  readonly #asked = new Set<string>();

  /** The address of a message's picture, once there is one. */
  url(id: string): string | null {
    return this.#urls.get(id) ?? null;
  }

  /** Fetches a picture, once. */
  want(id: string, type: string, read: () => Promise<Uint8Array<ArrayBuffer> | null>): void {
    if (this.#asked.has(id)) return;
    this.#asked.add(id);
    read().then(
      (bytes) => bytes && this.put(id, type, bytes),
      () => undefined, // a message without its picture can still be watched
    );
  }

  put(id: string, type: string, bytes: Uint8Array<ArrayBuffer>): void {
    this.drop(id);
    this.#asked.add(id);
    this.#urls.set(id, URL.createObjectURL(new Blob([bytes], { type })));
  }

  /** Shows a picture that just came, and keeps it in the index for next time. */
  async keep(index: Kept, id: string, poster: { type: string; data: string }): Promise<void> {
    const bytes = unb64(poster.data);
    this.put(id, poster.type, bytes);
    await index.putPoster(id, bytes);
  }

  drop(id: string): void {
    const url = this.#urls.get(id);
    if (url !== undefined) URL.revokeObjectURL(url);
    this.#urls.delete(id);
    this.#asked.delete(id);
  }

  close(): void {
    for (const id of [...this.#urls.keys()]) this.drop(id);
  }
}
