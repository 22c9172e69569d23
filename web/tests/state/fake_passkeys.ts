/** Passkeys in memory: an authenticator that gives what its PRF is told to, and a person who may turn away. */

import type { NewCredential, Options, Passkeys, Prf, Shown, Twice } from "../../src/state/passkeys";
import { Refused } from "../../src/state/failure";

const SECRET = 7;

export class FakePasskeys implements Passkeys {
  areKnown = true;
  /** `late`: only when asked; `once`: one answer for each touch; `fickle`: another answer each time. */
  kind: "prf" | "late" | "once" | "plain" | "fickle" = "prf";
  /** Chooses what the browser offers; null: nothing is offered. */
  choose: (() => void) | null = null;
  areOffered = false;
  /** Refusals of the touches to come, one after the other; "" is none. */
  refusals: string[] = [];
  readonly disowned: string[] = [];
  touches = 0;
  #made = 0;
  #answers = 0;

  create(): Promise<{ credential: NewCredential; prf: Twice }> {
    return this.#touched(() => {
      const id = `Y3JlZGVudGlhbA${String(this.#made++).padStart(2, "0")}`;
      const response = { clientDataJSON: "e30", attestationObject: "e30", transports: ["internal"] };
      const credential = { id, rawId: id, type: "public-key" as const, response };
      return { credential, prf: this.kind === "late" ? [null, null] : this.#twice() };
    });
  }

  canOffer(): Promise<boolean> {
    return Promise.resolve(this.areOffered);
  }

  async offer(_: Options, signal: AbortSignal): Promise<Shown> {
    await new Promise<void>((resolve, reject) => {
      this.choose = resolve;
      signal.addEventListener("abort", () => reject(new Refused("passkey-cancelled")));
    }).finally(() => (this.choose = null));
    return this.ask();
  }

  ask(): Promise<Shown> {
    return this.#touched(() => {
      const id = `Y3JlZGVudGlhbA${String(this.#made - 1).padStart(2, "0")}`;
      const response = { clientDataJSON: "e30", authenticatorData: "e30", signature: "e30", userHandle: null };
      return { credential: { id, rawId: id, type: "public-key" as const, response }, prf: this.#prf() };
    });
  }

  again(): Promise<Twice> {
    return this.#touched(() => this.#twice());
  }

  disown(id: string): void {
    this.disowned.push(id);
  }

  #twice(): Twice {
    return [this.#prf(), this.kind === "once" ? null : this.#prf()];
  }

  #prf(): Prf {
    if (this.kind === "plain") return null;
    this.#answers += 1;
    return new Uint8Array(32).fill(this.kind === "fickle" ? this.#answers : SECRET);
  }

  async #touched<T>(answer: () => T): Promise<T> {
    const refusal = this.refusals.shift() ?? "";
    if (refusal !== "") throw new Refused(refusal);
    this.touches += 1;
    return answer();
  }
}
