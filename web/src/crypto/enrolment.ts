// What a passkey's PRF gave while it is enrolled. Some authenticators answer differently each time, or with what is still
// encrypted: only an answer that came twice may seal a keyring.

import { equalBytes } from "../protocol/encoding";

export class Enrolment {
  #first: Uint8Array | null = null;
  #isProved = false;

  /** Takes an answer, which is wiped unless it is the first. Whether two answers in a row were the same. */
  offer(prf: Uint8Array): boolean {
    if (this.#first === null) {
      this.#first = prf;
      return false;
    }
    this.#isProved = equalBytes(this.#first, prf);
    prf.fill(0);
    return this.#isProved;
  }

  /** A copy of the proved answer: whoever takes it wipes it. */
  claim(): Uint8Array {
    if (this.#first === null || !this.#isProved) throw new Error("no passkey was proved");
    return this.#first.slice();
  }

  forget(): void {
    this.#first?.fill(0);
    this.#first = null;
    this.#isProved = false;
  }
}
