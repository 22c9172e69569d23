/** Where each video was left on this device, sealed, so that it goes on from there. */

import { utf8 } from "../protocol/encoding";
import type { DeviceVault } from "../storage/keys";

/** Nearer to the beginning or the end than this, it begins anew. */
const EDGE_MS = 5000;
/** Of so many videos; the ones left longest ago are forgotten. */
const MOST = 200;
const NAME = "left-off";

interface Owner {
  readonly vault: DeviceVault;
}

export class LeftOff {
  readonly #vault: DeviceVault;
  readonly #places: Promise<Map<string, number>>;
  #writing: Promise<void> = Promise.resolve();

  constructor({ vault }: Owner) {
    this.#vault = vault;
    this.#places = recalled(vault);
  }

  /** Zero for what was not begun, or was seen to its end. */
  async place(id: string): Promise<number> {
    return (await this.#places).get(id) ?? 0;
  }

  /** Notes where it was left. What cannot be stored is known as long as this page lives. */
  note(id: string, atMs: number, durationMs: number): Promise<void> {
    this.#writing = this.#writing.then(() => this.#noted(id, atMs, durationMs)).catch(() => undefined);
    return this.#writing;
  }

  /** Forgets a video that is gone. */
  async forget(id: string): Promise<void> {
    await this.note(id, 0, 0);
  }

  close(): void {
    // Nothing is held open.
  }

  async #noted(id: string, atMs: number, durationMs: number): Promise<void> {
    const places = await this.#places;
    const isWithin = atMs >= EDGE_MS && atMs <= durationMs - EDGE_MS;
    if (!isWithin && !places.has(id)) return;
    places.delete(id);
    if (isWithin) places.set(id, Math.floor(atMs));
    for (const oldest of [...places.keys()].slice(0, Math.max(0, places.size - MOST))) places.delete(oldest);
    await this.#vault.keep(NAME, utf8(JSON.stringify([...places])));
  }
}

async function recalled(vault: DeviceVault): Promise<Map<string, number>> {
  try {
    const kept = await vault.recall(NAME);
    return new Map(kept === null ? [] : (JSON.parse(new TextDecoder().decode(kept)) as [string, number][]));
  } catch {
    return new Map(); // unreadable: it begins at the beginning
  }
}
