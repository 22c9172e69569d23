/** How a passkey is made and proved: what its PRF gives must come twice the same before a keyring is sealed to it. */

import type { CryptoService } from "../crypto/service";
import { newId } from "../protocol/ids";
import type { Api } from "../transfer/http";
import type { NewCredential, Passkeys, Twice } from "./passkeys";

export interface EnrollingTools {
  readonly api: Api;
  readonly crypto: CryptoService;
  readonly passkeys: Passkeys;
}

/** What the server is told of a new passkey. */
export interface NewPasskey {
  readonly mid: string;
  readonly ceremony: string;
  readonly credential: NewCredential;
}

/** `proved`: it unlocks; `plain`: it signs in only; `asked`: its answer is known once, and must be asked for again. */
export type Proof = "asked" | "proved" | "plain";

/** One passkey on its way into an account. */
export class Enrolling {
  proof: Proof = "asked";
  #made: NewPasskey | null = null;
  #answers = 0;
  readonly #tools: EnrollingTools;
  readonly #name: string | null;

  /** `name`: of an account that is to be made. */
  constructor(tools: EnrollingTools, name: string | null) {
    this.#tools = tools;
    this.#name = name;
  }

  get made(): NewPasskey | null {
    return this.#made;
  }

  /**
   * Makes the passkey, unless that is done, and asks it again until its answer is proved. May be called again after a
   * refusal, and goes on from there. @throws Problem, Refused passkey-…
   */
  async touch(): Promise<NewPasskey> {
    const made = this.#made ?? (await this.#create());
    while (this.proof === "asked") await this.#offer(await this.#tools.passkeys.again(made.credential.id));
    return made;
  }

  /** Takes it back: whoever keeps it is told that no server knows it. */
  disown(): void {
    if (this.#made !== null) this.#tools.passkeys.disown(this.#made.credential.id);
    this.#made = null;
    this.proof = "asked";
    void this.#tools.crypto.forgetPrf().catch(() => undefined); // the worker has ended
  }

  async #create(): Promise<NewPasskey> {
    const { api, crypto, passkeys } = this.#tools;
    await crypto.forgetPrf();
    this.#answers = 0;
    const { ceremony, options } = await api.post("/api/v1/passkeys/registration", { name: this.#name });
    const { credential, prf } = await passkeys.create(options);
    this.#made = { mid: newId("mth"), ceremony, credential };
    // Some tell only when they are asked.
    if (prf.some((answer) => answer !== null)) await this.#offer(prf);
    return this.#made;
  }

  /** One touch gives two answers, or one: then another touch is needed. */
  async #offer(prf: Twice): Promise<void> {
    const answers = prf.filter((answer) => answer !== null);
    for (const answer of answers) {
      if (this.proof !== "asked") answer.fill(0);
      else await this.#take(answer);
    }
    if (answers.length === 0) await this.#giveUp();
  }

  async #take(answer: Uint8Array<ArrayBuffer>): Promise<void> {
    const isProved = await this.#tools.crypto.offerPrf(answer);
    this.#answers += 1;
    if (isProved) this.proof = "proved";
    else if (this.#answers > 1) await this.#giveUp();
  }

  async #giveUp(): Promise<void> {
    this.proof = "plain";
    await this.#tools.crypto.forgetPrf();
  }
}
