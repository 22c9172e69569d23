/**
 * Opening a mailbox: a name, the recovery code, which must be proved to be written down, and a way in for every day: a
 * passkey at the end or a passphrase at the beginning. Before that nothing is stored on the server: whoever turns round in
 * the middle leaves nothing behind.
 */

import type { AccountView, CryptoService, NewAccount } from "../crypto/service";
import { b64 } from "../protocol/encoding";
import { isName } from "../protocol/names";
import type { Api } from "../transfer/http";
import { askGroups, checkGroups, shownCode, type CodeShown, type GroupsAsked } from "./code-proof";
import type { Entry } from "./entry.svelte";
import { askServer, isTaken, postSignUp, type NewUnlock } from "./entering";
import { Enrolling } from "./enrolling";
import { failureOf, Refused, type Failure } from "./failure";
import type { Passkeys } from "./passkeys";

export interface Chosen {
  account: string;
  way: "passkey" | "passphrase";
  passphrase: string;
  /** The person made it up. */
  own: boolean;
}

/**
 * `touch`: the passkey is made, and asked `again` to prove that it unlocks; `words`: a passphrase is needed after all,
 * because the passkey `signsInOnly` or because the person wants one instead.
 */
export type SignUpStep =
  | { kind: "name"; failure: Failure | null }
  | { kind: "working" }
  | ({ kind: "code" } & CodeShown)
  /** `working`: the mailbox is being opened on the server. */
  | ({ kind: "prove"; working: boolean; failure: Failure | null } & GroupsAsked)
  | { kind: "touch"; again: boolean; working: boolean; failure: Failure | null }
  | { kind: "words"; signsInOnly: boolean; working: boolean; failure: Failure | null };
type LastStep = Extract<SignUpStep, { working: boolean }>;

export interface SignUpTools {
  readonly api: Api;
  readonly passkeys: Passkeys;
  readonly startCrypto: () => CryptoService;
  /** How a new passkey is called until somebody gives it a name. */
  readonly label: string;
  /** The ticket and the country that the sign-up shows. */
  readonly entry?: Pick<Entry, "ticket" | "country" | "refused">;
  /** Moves into the account that was made. */
  readonly enter: (crypto: CryptoService, account: AccountView) => Promise<void>;
  /** From 0 to `below`, without it. */
  readonly draw?: (below: number) => number;
}

/** Refusals of the sign-up itself that another name or ticket cures, or nothing. */
const ABOUT_NAME: ReadonlySet<string> = new Set([
  "name-taken",
  "invalid-name",
  "sign-up-closed",
  "not-available-yet",
  "ticket-needed",
  "ticket-refused",
  "ticket-used",
]);

export class SignUp {
  step: SignUpStep = $state.raw({ kind: "name", failure: null });
  /** Whether a passkey may be the way in; null: the server is still asked. */
  hasPasskeys: boolean | null = $state(null);
  /** Six words; empty until they are drawn. */
  suggestion = $state("");
  readonly #tools: SignUpTools;
  readonly #crypto: CryptoService;
  /** What was typed, so that nobody types it twice. */
  chosen: Chosen = { account: "", way: "passkey", passphrase: "", own: false };
  #made: NewAccount | null = null;
  #enrolling: Enrolling | null = null;
  /** What is posted: the keyring as it was sealed last, and what the server is told of the ways in. */
  #posted: { keyring: string; unlock: readonly NewUnlock[] } = { keyring: "", unlock: [] };
  #account: AccountView | null = null;
  #isPosted = false;
  #isInside = false;

  constructor(tools: SignUpTools) {
    this.#tools = tools;
    this.#crypto = tools.startCrypto();
    void this.suggest();
    void this.#lookAtServer();
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
    const { account, passphrase, own, way } = (this.chosen = chosen);
    const byPasskey = way === "passkey";
    this.step = { kind: "working" };
    try {
      if (own && !byPasskey) await this.#crypto.checkPassphrase(passphrase, account);
      const server = await this.#serverFor(account);
      const wanted = { acct: `${account}@${server}`, passphrase: byPasskey ? null : passphrase, nowMs: Date.now() };
      this.#made = await this.#crypto.makeAccount({ ...wanted, byPasskey });
      this.#account = this.#made.account;
      this.#posted = { keyring: this.#made.keyring, unlock: this.#made.unlock };
      this.show();
    } catch (error) {
      this.step = { kind: "name", failure: failureOf(error) };
    }
  }

  /** Shows the code. */
  show(): void {
    this.step = { kind: "code", ...shownCode(this.code) };
  }

  /** It is written down: asks for two of its groups. */
  written(): void {
    this.step = { kind: "prove", ...askGroups(this.code, this.#tools.draw), working: false, failure: null };
  }

  /** Compares the groups and, when they are right, goes on to the passkey or opens the mailbox. Never rejects: `step` tells. */
  async prove(typed: readonly [string, string]): Promise<void> {
    const { step } = this;
    if (step.kind !== "prove" || step.working || this.#made === null) return;
    const checked = { ...step, ...checkGroups(this.code, step, typed), failure: null };
    this.step = checked;
    if (checked.wrong !== null) return;
    if (this.chosen.way === "passkey") await this.touch();
    else await this.#finish(checked);
  }

  /**
   * Makes the passkey and opens the mailbox. It comes last, because the server waits five minutes for it, and because a
   * passkey of a mailbox that was never opened would lie about. Never rejects: `step` tells.
   */
  async touch(): Promise<void> {
    if (this.step.kind === "touch" && this.step.working) return;
    const enrolling = (this.#enrolling ??= new Enrolling(this.#enrollingTools, this.account));
    const again = enrolling.made !== null;
    this.step = { kind: "touch", again, working: true, failure: null };
    try {
      const { mid, ceremony, credential } = await enrolling.touch();
      const { label } = this.#tools;
      const way = { type: "passkey", ceremony, credential, label, mid } as const;
      const isNew = this.#posted.unlock.every(({ type }) => type !== "passkey");
      if (enrolling.proof === "proved" && isNew) await this.#addPasskey(mid, label);
      if (isNew) this.#posted = { ...this.#posted, unlock: [way, ...this.#posted.unlock] };
    } catch (error) {
      this.step = { kind: "touch", again: enrolling.made !== null, working: false, failure: failureOf(error) };
      return;
    }
    if (enrolling.proof === "plain") this.step = { kind: "words", signsInOnly: true, working: false, failure: null };
    else await this.#finish({ kind: "touch", again, working: false, failure: null });
  }

  /** A passphrase instead of the passkey. */
  async useWords(): Promise<void> {
    await this.#dropPasskey();
    this.step = { kind: "words", signsInOnly: false, working: false, failure: null };
  }

  /** Opens the mailbox with a passphrase that was chosen last. Never rejects: `step` tells. */
  async chooseWords({ passphrase, own }: Pick<Chosen, "passphrase" | "own">): Promise<void> {
    const { step } = this;
    if (step.kind !== "words" || step.working) return;
    this.step = { ...step, working: true, failure: null };
    try {
      if (own) await this.#crypto.checkPassphrase(passphrase, this.account);
      const change = { kind: "set-passphrase", passphrase, nowMs: Date.now() } as const;
      const { sealed, bearer, salt } = await this.#crypto.changeKeyring(change);
      this.#account = await this.#crypto.keyringStored();
      const others = this.#posted.unlock.filter(({ type }) => type !== "passphrase");
      this.#posted = { keyring: b64(sealed), unlock: [...others, { type: "passphrase", bearer, salt }] };
    } catch (error) {
      this.step = { ...step, failure: failureOf(error) };
      return;
    }
    await this.#finish(step);
  }

  /** Forgets the keys, unless somebody has moved in with them. */
  close(): void {
    if (this.#isInside) return;
    if (!this.#isPosted) this.#enrolling?.disown();
    this.#crypto.close();
  }

  get #enrollingTools() {
    const { api, passkeys } = this.#tools;
    return { api, passkeys, crypto: this.#crypto };
  }

  get #shown() {
    const { ticket = null, country = null } = this.#tools.entry ?? {};
    return { ticket, country };
  }

  async #addPasskey(mid: string, label: string): Promise<void> {
    const { sealed } = await this.#crypto.changeKeyring({ kind: "add-passkey", mid, label, nowMs: Date.now() });
    this.#account = await this.#crypto.keyringStored();
    this.#posted = { ...this.#posted, keyring: b64(sealed) };
  }

  async #dropPasskey(): Promise<void> {
    const mid = this.#enrolling?.made?.mid;
    this.#enrolling?.disown();
    this.#enrolling = null;
    const unlock = this.#posted.unlock.filter(({ type }) => type !== "passkey");
    this.#posted = { ...this.#posted, unlock };
    if (mid === undefined || !this.#account?.methods.some((method) => method.mid === mid)) return;
    const { sealed } = await this.#crypto.changeKeyring({ kind: "drop-method", mid });
    this.#account = await this.#crypto.keyringStored();
    this.#posted = { keyring: b64(sealed), unlock };
  }

  async #finish(step: LastStep): Promise<void> {
    if (this.#made === null || this.#account === null) return;
    this.step = { ...step, working: true, failure: null };
    try {
      const { record } = this.#made;
      if (!this.#isPosted) await postSignUp(this.#tools.api, this.account, { record, ...this.#posted, ...this.#shown });
      this.#isPosted = true;
      this.#isInside = true;
      await this.#tools.enter(this.#crypto, this.#account);
    } catch (error) {
      this.#isInside = false;
      await this.#refused({ ...step, working: false, failure: failureOf(error) });
    }
  }

  async #refused(step: LastStep & { failure: Failure | null }): Promise<void> {
    const code = step.failure?.code ?? "";
    const isAboutName = !this.#isPosted && ABOUT_NAME.has(code);
    // What it has proved is worth nothing to a server that does not take it.
    if (isAboutName || code === "passkey-refused") await this.#dropPasskey();
    if (step.failure !== null && isAboutName) this.#tools.entry?.refused(step.failure);
    if (isAboutName) this.step = { kind: "name", failure: step.failure };
    else this.step = step.kind === "touch" ? { ...step, again: this.#enrolling !== null } : step;
  }

  async #lookAtServer(): Promise<void> {
    const { api, passkeys } = this.#tools;
    const server = passkeys.areKnown ? await askServer(api).catch(() => null) : null;
    this.hasPasskeys = server?.hasPasskeys ?? false;
  }

  async #serverFor(account: string): Promise<string> {
    if (!isName(account)) throw new Refused("bad-name");
    const { name, isOpen } = await askServer(this.#tools.api);
    if (!isOpen) throw new Refused("sign-up-closed");
    if (await isTaken(this.#tools.api, account)) throw new Refused("name-taken");
    return name;
  }
}
