/** Wakes whoever waits; a ring that nobody hears is not kept. */
export class Bell {
  #ring: () => void = () => undefined;
  #next: Promise<void> = Promise.resolve();

  constructor() {
    this.#renew();
  }

  /** The next ring. */
  get rung(): Promise<void> {
    return this.#next;
  }

  ring(): void {
    const ring = this.#ring;
    this.#renew();
    ring();
  }

  #renew(): void {
    this.#next = new Promise((resolve) => {
      this.#ring = resolve;
    });
  }
}
