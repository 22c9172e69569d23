/**
 * Showing once more who one is. A change that would let somebody in for good, or lock the owner out, is refused with
 * `verification-needed` unless that was shown in the last five minutes: `run` asks, and makes the change again.
 */

import type { CryptoService } from "../crypto/service";
import type { Api } from "../transfer/http";
import { askPasskey, askServer } from "./entering";
import { failureOf, isCode, Refused, type Failure } from "./failure";
import type { Passkeys } from "./passkeys";

export interface VerificationTools {
  readonly api: Api;
  readonly crypto: CryptoService;
  readonly passkeys: Passkeys;
  readonly account: { readonly name: string };
}

/** What it is asked for: a change of who comes in here, what an operator does, a message that was reported to them. */
export type About = "ways" | "desk" | "look";

/** What the person is asked; `hasPasskeys`: also for a touch. */
export interface Asking {
  about: About;
  hasPasskeys: boolean;
  working: boolean;
  failure: Failure | null;
}

export class Verification {
  /** Null while nothing is asked. */
  asking: Asking | null = $state.raw(null);
  readonly #tools: VerificationTools;
  #answered: { resolve: () => void; reject: (reason: Refused) => void } | null = null;

  constructor(tools: VerificationTools) {
    this.#tools = tools;
  }

  /** Does it; when the server wants to know who this is, asks the person and does it again. @throws Refused closed, as `action` */
  async run<T>(action: () => Promise<T>, about: About = "ways"): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (!isCode(error, "verification-needed")) throw error;
    }
    await this.#ask(about);
    return action();
  }

  /** Never rejects: `asking` tells. */
  byPasskey(): Promise<void> {
    return this.#answer(async () => {
      const { api } = this.#tools;
      const { ceremony, credential, prf } = await askPasskey(this.#tools);
      prf?.fill(0); // it is asked who this is, not to be unlocked
      await api.post("/api/v1/account/verification", { type: "passkey", bearer: null, ceremony, credential });
    });
  }

  /** Never rejects: `asking` tells. */
  bySecret(secret: string, type: "passphrase" | "recovery"): Promise<void> {
    return this.#answer(async () => {
      const { api, crypto, account } = this.#tools;
      const bearer =
        type === "recovery" ? await crypto.recoveryBearer(secret) : await this.#stretched(secret, account.name);
      await api.post("/api/v1/account/verification", { type, bearer, ceremony: null, credential: null });
    });
  }

  /** The change is not made. */
  cancel(): void {
    this.asking = null;
    this.#answered?.reject(new Refused("closed"));
    this.#answered = null;
  }

  close(): void {
    this.cancel();
  }

  async #ask(about: About): Promise<void> {
    const { api, passkeys } = this.#tools;
    this.cancel(); // what was asked before
    const hasPasskeys = passkeys.areKnown && (await askServer(api)).hasPasskeys;
    this.asking = { about, hasPasskeys, working: false, failure: null };
    return new Promise((resolve, reject) => (this.#answered = { resolve, reject }));
  }

  async #answer(show: () => Promise<void>): Promise<void> {
    const { asking } = this;
    if (asking === null || asking.working) return;
    this.asking = { ...asking, working: true, failure: null };
    try {
      await show();
      this.asking = null;
      this.#answered?.resolve();
      this.#answered = null;
    } catch (error) {
      if (this.#answered !== null) this.asking = { ...asking, failure: failureOf(error) };
    }
  }

  async #stretched(passphrase: string, name: string): Promise<string> {
    const { api, crypto } = this.#tools;
    const { salt } = await api.get("/api/v1/sign-in/{name}/salt", { path: { name } });
    return crypto.passphraseBearer(passphrase, salt);
  }
}
