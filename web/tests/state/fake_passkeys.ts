/** Passkeys in memory: an authenticator that gives what its PRF is told to, and a person who may turn away. */

import type { Assertion, NewCredential, Passkeys, Prf } from "../../src/state/passkeys";
import { Refused } from "../../src/state/failure";

const SECRET = 7;

export class FakePasskeys implements Passkeys {
  areKnown = true;
  /** `late`: only when asked; `fickle`: another answer each time. */
  kind: "prf" | "late" | "plain" | "fickle" = "prf";
  /** Refusals of the touches to come, one after the other; "" is none. */
  refusals: string[] = [];
  readonly disowned: string[] = [];
  touches = 0;
  #made = 0;

  create(): Promise<{ credential: NewCredential; prf: Prf }> {
    return this.#touched(() => {
      const id = `Y3JlZGVudGlhbA${String(this.#made++).padStart(2, "0")}`;
      const response = { clientDataJSON: "e30", attestationObject: "e30", transports: ["internal"] };
      const credential = { id, rawId: id, type: "public-key" as const, response };
      return { credential, prf: this.kind === "late" ? null : this.#prf() };
    });
  }

  ask(): Promise<{ credential: Assertion; prf: Prf }> {
    return this.#touched(() => {
      const id = `Y3JlZGVudGlhbA${String(this.#made - 1).padStart(2, "0")}`;
      const response = { clientDataJSON: "e30", authenticatorData: "e30", signature: "e30", userHandle: null };
      return { credential: { id, rawId: id, type: "public-key" as const, response }, prf: this.#prf() };
    });
  }

  again(): Promise<Prf> {
    return this.#touched(() => this.#prf());
  }

  disown(id: string): void {
    this.disowned.push(id);
  }

  #prf(): Prf {
    if (this.kind === "plain") return null;
    return new Uint8Array(32).fill(this.kind === "fickle" ? this.touches : SECRET);
  }

  async #touched<T>(answer: () => T): Promise<T> {
    const refusal = this.refusals.shift() ?? "";
    if (refusal !== "") throw new Refused(refusal);
    this.touches += 1;
    return answer();
  }
}
