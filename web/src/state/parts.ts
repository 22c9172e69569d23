/** Long-lived pieces of a house, each made when it is first asked for and closed with the house. */

export interface Part {
  close(): void;
}

/** @typeParam Owner what each part is made with. */
export class Parts<Owner> {
  readonly #made = new Map<unknown, Part>();
  readonly #owner: Owner;
  #isClosed = false;

  constructor(owner: Owner) {
    this.#owner = owner;
  }

  /** The one part of this class. */
  of<T extends Part>(Kind: new (owner: Owner) => T): T {
    const known = this.#made.get(Kind);
    if (known) return known as T;
    const made = new Kind(this.#owner);
    this.#made.set(Kind, made);
    if (this.#isClosed) made.close(); // a screen that came too late
    return made;
  }

  /** Closes all, the newest first. */
  close(): void {
    this.#isClosed = true;
    for (const part of [...this.#made.values()].reverse()) part.close();
  }
}
