/**
 * Opening a mailbox: name and passphrase, then the recovery code, which must be proved to be written down before anything
 * is stored on the server. Whoever turns round in the middle leaves nothing behind.
 */

import type { AccountView, CryptoService, NewAccount } from "../crypto/service";
import { isSameGroup, recoveryGroups } from "../crypto/recovery";
import { isName } from "../protocol/names";
import type { Api } from "../transfer/http";
import { askServer, isTaken, postSignUp } from "./entering";
import { failureOf, Refused, type Failure } from "./failure";

export interface Chosen {
  account: string;
  passphrase: string;
  /** Whether the person made it up. */
  own: boolean;
}

export type SignUpStep =
  | { kind: "name"; failure: Failure | null }
  | { kind: "working" }
  | { kind: "code"; groups: readonly string[]; check: string }
  | {
      kind: "prove";
      asked: readonly [number, number];
      wrong: number | null;
      begins: string;
      /** The mailbox is being opened on the server. */
      working: boolean;
      failure: Failure | null;
    };

export interface SignUpTools {
  readonly api: Api;
  readonly startCrypto: () => CryptoService;
  /** Moves into the account that was made. */
  readonly enter: (crypto: CryptoService, account: AccountView) => Promise<void>;
  /** From 0 to `below`, without it. */
  readonly draw?: (below: number) => number;
}

/** Refusals of the sign-up itself that another name cures, or nothing. */
const ABOUT_NAME: ReadonlySet<string> = new Set(["name-taken", "invalid-name", "sign-up-closed"]);
const SHOWN_OF_GROUP = 2;

export class SignUp {
  step: SignUpStep = $state.raw({ kind: "name", failure: null });
  /** Six words; empty until they are drawn. */
  suggestion = $state("");
  readonly #tools: SignUpTools;
  readonly #crypto: CryptoService;
  /** What was typed, so that nobody types it twice. */
  chosen: Chosen = { account: "", passphrase: "", own: false };
  #made: NewAccount | null = null;
  #isPosted = false;
  #isInside = false;

  constructor(tools: SignUpTools) {
    this.#tools = tools;
    this.#crypto = tools.startCrypto();
    void this.suggest();
  }

  /** The code as it is written down; empty until it is made. */
  get code(): string {
    return this.#made?.recoveryCode ?? "";
  }

  get account(): string {
    return this.chosen.account;
  }

  async suggest(): Promise<void> {
    this.suggestion = await this.#crypto.newPassphrase();
  }

  /** Makes the keys, when name and passphrase will do. Never rejects: `step` tells. */
  async choose(chosen: Chosen): Promise<void> {
    const { account, passphrase, own } = (this.chosen = chosen);
    this.step = { kind: "working" };
    try {
      if (own) await this.#crypto.checkPassphrase(passphrase, account);
      const server = await this.#serverFor(account);
      const acct = `${account}@${server}`;
      this.#made = await this.#crypto.makeAccount({ acct, passphrase, nowMs: Date.now() });
      this.show();
    } catch (error) {
      this.step = { kind: "name", failure: failureOf(error) };
    }
  }

  /** Shows the code. */
  show(): void {
    const groups = recoveryGroups(this.code);
    this.step = { kind: "code", groups: groups.slice(0, -1), check: groups.at(-1) ?? "" };
  }

  /** It is written down: asks for two of its groups. */
  written(): void {
    const count = recoveryGroups(this.code).length - 1;
    const first = this.#draw(count);
    const second = (first + 1 + this.#draw(count - 1)) % count;
    const asked = [Math.min(first, second) + 1, Math.max(first, second) + 1] as const;
    this.step = { kind: "prove", asked, wrong: null, begins: "", working: false, failure: null };
  }

  /** Compares the groups and, when they are right, opens the mailbox on the server. Never rejects: `step` tells. */
  async prove(typed: readonly [string, string]): Promise<void> {
    const { step } = this;
    if (step.kind !== "prove" || step.working || this.#made === null) return;
    const groups = recoveryGroups(this.code);
    const wrong = step.asked.find((group, at) => !isSameGroup(typed[at] ?? "", groups[group - 1] ?? "")) ?? null;
    const begins = wrong === null ? "" : (groups[wrong - 1] ?? "").slice(0, SHOWN_OF_GROUP);
    this.step = { ...step, wrong, begins, working: wrong === null, failure: null };
    if (wrong === null) await this.#open({ ...step, wrong, begins }, this.#made);
  }

  /** Forgets the keys, unless somebody has moved in with them. */
  close(): void {
    if (!this.#isInside) this.#crypto.close();
  }

  async #open(step: Extract<SignUpStep, { kind: "prove" }>, made: NewAccount): Promise<void> {
    try {
      if (!this.#isPosted) await postSignUp(this.#tools.api, this.chosen.account, made);
      this.#isPosted = true;
      this.#isInside = true;
      await this.#tools.enter(this.#crypto, made.account);
    } catch (error) {
      this.#isInside = false;
      const failure = failureOf(error);
      if (this.#isPosted || !ABOUT_NAME.has(failure.code)) this.step = { ...step, working: false, failure };
      else this.step = { kind: "name", failure };
    }
  }

  async #serverFor(account: string): Promise<string> {
    if (!isName(account)) throw new Refused("bad-name");
    const { name, isOpen } = await askServer(this.#tools.api);
    if (!isOpen) throw new Refused("sign-up-closed");
    if (await isTaken(this.#tools.api, account)) throw new Refused("name-taken");
    return name;
  }

  #draw(below: number): number {
    return this.#tools.draw?.(below) ?? (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) % below;
  }
}
