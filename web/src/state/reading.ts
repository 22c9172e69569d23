/** Keeps one box in step: a reading at each hint, one after the other, waiting out what passes. */

import type { Problem } from "../transfer/problem";
import type { House } from "./house.svelte";
import type { Happening } from "./network.svelte";
import { phaseOf, type Phase } from "./phase";

interface Readable {
  read(): Promise<void>;
  forget(): void;
}

export class Reading {
  readonly #house: House;
  readonly #box: Readable;
  readonly #onPhase: (phase: Phase) => void;
  readonly #unlisten: () => void;
  #isWanted = false;
  #isRunning = false;

  /** @param onPhase `ready` after each reading that succeeded. */
  constructor(house: House, box: Readable, onPhase: (phase: Phase) => void) {
    this.#house = house;
    this.#box = box;
    this.#onPhase = onPhase;
    this.#unlisten = house.live.listen((happening) => this.#hear(happening));
  }

  /** Reads what changed, now or as soon as the present reading ends. */
  want(): void {
    this.#isWanted = true;
    if (!this.#isRunning) void this.#run();
  }

  close(): void {
    this.#unlisten();
  }

  #hear(happening: Happening): void {
    if (happening.kind === "resync") this.#box.forget();
    this.want();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    const { api, signal } = this.#house;
    const told = (problem: Problem): void => this.#onPhase(phaseOf(problem));
    try {
      while (this.#isWanted && !signal.aborted) {
        this.#isWanted = false;
        await api.patiently(() => this.#box.read(), signal, told);
        this.#onPhase({ kind: "ready" });
      }
    } catch (error) {
      if (!signal.aborted) this.#onPhase(phaseOf(error));
    } finally {
      this.#isRunning = false;
    }
  }
}
