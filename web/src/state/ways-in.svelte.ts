/** The ways into an account: what the server lists, by the names that its owner's keyring gives them; and how they change. */

import type { AccountView, CryptoService, KeyringChange } from "../crypto/service";
import type { Answer, Api } from "../transfer/http";
import { askGroups, checkGroups, shownCode, type CodeShown, type GroupsAsked } from "./code-proof";
import { askServer } from "./entering";
import { Enrolling } from "./enrolling";
import { failureOf, Refused, type Failure } from "./failure";
import type { House } from "./house.svelte";
import { storeChange, storeWith, type Stored } from "./keyring";
import { phaseOf, type Phase } from "./phase";
import { thisBrowser } from "./this-browser";
import { refreshKeyring } from "./upkeep";
import { Verification } from "./verification.svelte";

export interface WayIn {
  readonly id: string;
  readonly type: "passkey" | "passphrase" | "recovery";
  /** Of a passkey. */
  readonly label: string;
  readonly since: number;
  readonly usedAt: number | null;
  /** It unlocks the mailbox; a passkey that does not still signs in. */
  readonly opens: boolean;
}

export type WaysInState = Exclude<Phase, { kind: "ready" }> | { kind: "ready"; list: readonly WayIn[] };
/** What was done last, as the screen says it. */
export type Told = "added" | "signs-in-only" | "renamed" | "removed" | "words" | "code";
export type NewCodeStep =
  | ({ kind: "code" } & CodeShown)
  | ({ kind: "prove"; working: boolean; failure: Failure | null } & GroupsAsked)
  | { kind: "done" };

const WAY = "/api/v1/account/ways-in/{way_id}";

export class WaysIn {
  state: WaysInState = $state.raw({ kind: "loading" });
  /** Whether a passkey can be added here. */
  hasPasskeys = $state(false);
  /** How the provider of identities is called that may find the mailbox, or empty. */
  provider = $state("");
  working = $state(false);
  failure: Failure | null = $state.raw(null);
  told: Told | null = $state(null);
  /** A passkey was made that must be asked once more. */
  again = $state(false);
  newCode: NewCodeStep | null = $state.raw(null);
  readonly #house: House;
  #enrolling: Enrolling | null = null;
  #code = "";

  constructor(house: House) {
    this.#house = house;
  }

  get code(): string {
    return this.#code;
  }

  /** Never rejects: `state` tells. */
  async look(): Promise<void> {
    const { api, crypto, passkeys } = this.#house;
    try {
      const { items } = await api.get("/api/v1/account/ways-in");
      const { methods } = await crypto.account();
      const list = items.map((item) => wayIn(item, methods));
      this.state = { kind: "ready", list };
      const server = await askServer(api);
      this.hasPasskeys = passkeys.areKnown && server.hasPasskeys;
      this.provider = server.provider;
    } catch (error) {
      const phase = phaseOf(error);
      if (phase.kind !== "ready") this.state = phase;
    }
  }

  /** Makes a passkey, or goes on with one that was made. Never rejects: `failure` and `told` tell. */
  async addPasskey(): Promise<void> {
    await this.#change(async () => {
      const enrolling = (this.#enrolling ??= new Enrolling(this.#house, null));
      const made = await enrolling.touch().finally(() => (this.again = enrolling.made !== null));
      const { mid, ceremony, credential } = made;
      const label = thisBrowser();
      const opens = enrolling.proof === "proved";
      const change = opens
        ? ({ kind: "add-passkey", mid, label, nowMs: Date.now() } as const)
        : ({ kind: "reseal" } as const);
      await this.#store(change, ({ keyring, headers }) => {
        const body = { ceremony, credential, label, mid, keyring };
        return this.#api.post("/api/v1/account/ways-in/passkeys", body, { headers });
      }).catch((error: unknown) => this.#disown(error));
      this.#enrolling = null;
      this.again = false;
      return opens ? "added" : "signs-in-only";
    });
  }

  /** Lets go of a passkey that was made but not added. */
  dropPasskey(): void {
    this.#enrolling?.disown();
    this.#enrolling = null;
    this.again = false;
    this.failure = null;
  }

  /** Never rejects. */
  async rename(mid: string, label: string): Promise<void> {
    await this.#change(async () => {
      await storeChange(this.#house, { kind: "rename-method", mid, label });
      return "renamed";
    });
  }

  /** Never rejects. */
  async remove(id: string): Promise<void> {
    await this.#change(async () => {
      const { methods } = await this.#crypto.account();
      const others = this.#list().filter((way) => way.id !== id && way.type !== "recovery");
      if (!others.some(({ opens }) => opens)) throw new Refused("last-way-in");
      const mid = id === "passphrase" ? methods.find(({ type }) => type === "passphrase")?.mid : id;
      await this.#store({ kind: "drop-method", mid: mid ?? id }, ({ keyring, headers }) =>
        this.#api.delete(WAY, { path: { way_id: id }, headers }, { keyring }),
      );
      return "removed";
    });
  }

  suggest(): Promise<string> {
    return this.#crypto.newPassphrase();
  }

  /** Never rejects. */
  async setPassphrase({ passphrase, own }: { passphrase: string; own: boolean }): Promise<void> {
    await this.#change(async () => {
      if (own) await this.#crypto.checkPassphrase(passphrase, this.#house.account.name);
      await this.#store({ kind: "set-passphrase", passphrase, nowMs: Date.now() }, ({ headers, ...body }) =>
        this.#api.put(WAY, body, { path: { way_id: "passphrase" }, headers }),
      );
      return "words";
    });
  }

  /** Makes a code and shows it; the one before goes on until this one is proved. */
  async makeCode(): Promise<void> {
    this.#code = await this.#crypto.newRecoveryCode();
    this.showCode();
  }

  showCode(): void {
    this.newCode = { kind: "code", ...shownCode(this.#code) };
  }

  /** It is written down. */
  written(): void {
    this.newCode = { kind: "prove", ...askGroups(this.#code), working: false, failure: null };
  }

  /** Compares the groups and, when they are right, puts the code in the place of the old one. Never rejects: `newCode` tells. */
  async prove(typed: readonly [string, string]): Promise<void> {
    const step = this.newCode;
    if (step?.kind !== "prove" || step.working) return;
    const checked = { ...step, ...checkGroups(this.#code, step, typed), failure: null };
    this.newCode = { ...checked, working: checked.wrong === null };
    if (checked.wrong !== null) return;
    await this.#change(async () => {
      await this.#store({ kind: "set-recovery", code: this.#code, nowMs: Date.now() }, ({ headers, keyring, bearer }) =>
        this.#api.put(WAY, { keyring, bearer, salt: null }, { path: { way_id: "recovery" }, headers }),
      );
      this.#code = "";
      this.#house.cameByCode = false;
      return "code";
    });
    this.newCode = this.failure === null ? { kind: "done" } : { ...checked, failure: this.failure };
  }

  /** The new code is not wanted: the one before stays. */
  dropCode(): void {
    this.#code = "";
    this.newCode = null;
  }

  close(): void {
    this.#enrolling?.disown();
    this.#code = "";
  }

  get #api(): Api {
    return this.#house.api;
  }

  get #crypto(): CryptoService {
    return this.#house.crypto;
  }

  #list(): readonly WayIn[] {
    return this.state.kind === "ready" ? this.state.list : [];
  }

  async #change(work: () => Promise<Told>): Promise<void> {
    if (this.working) return;
    this.working = true;
    this.failure = this.told = null;
    try {
      this.told = await this.#house.part(Verification).run(work);
      await this.look();
    } catch (error) {
      const failure = failureOf(error);
      this.failure = failure.code === "closed" ? null : failure;
    } finally {
      this.working = false;
    }
  }

  async #store(change: KeyringChange, store: (stored: Stored) => Promise<unknown>): Promise<void> {
    await storeWith(this.#house, change, store);
    await refreshKeyring(this.#house);
  }

  /** A passkey that the server does not take is none. */
  #disown(error: unknown): never {
    if (failureOf(error).code === "passkey-refused") this.dropPasskey();
    throw error;
  }
}

type Listed = Answer<"get", "/api/v1/account/ways-in">["items"][number];

function wayIn({ id, type, label, created_at, last_used_at }: Listed, methods: AccountView["methods"]): WayIn {
  const method = methods.find((each) => (type === "passkey" ? each.mid === id : each.type === type));
  const name = method?.label ?? label;
  return { id, type, label: name, since: created_at, usedAt: last_used_at, opens: method !== undefined };
}
