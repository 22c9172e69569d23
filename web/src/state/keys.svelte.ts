/** The account's own keys: how old they are, new ones made by hand, and what to do when a device is in wrong hands. */

import type { AccountView, KeyringChange } from "../crypto/service";
import { endSession } from "./entering";
import { failureOf, isCode, type Failure } from "./failure";
import type { House } from "./house.svelte";
import type { RescueStep } from "./memory";
import { changeKeys, publishRecord, refreshKeyring } from "./upkeep";
import { Verification } from "./verification.svelte";

/** What was done last. */
export type KeysTold = "sealing" | "signing" | null;

export const RESCUE_STEPS: readonly RescueStep[] = ["sessions", "keys", "ways", "people"];

export class Keys {
  account: AccountView | null = $state.raw(null);
  working: "sealing" | "signing" | RescueStep | null = $state(null);
  told: KeysTold = $state(null);
  failure: Failure | null = $state.raw(null);
  /** There is a signing key that was not published: interrupted, or the person was asked who they are and went away. */
  isUnpublished = $state(false);
  /** The steps of a rescue that are done; they are remembered on this device until all are. */
  done: readonly RescueStep[] = $state.raw([]);
  readonly #house: House;

  constructor(house: House) {
    this.#house = house;
    this.done = house.memory.rescue;
  }

  /** Never rejects. */
  async look(): Promise<void> {
    await this.#house.catchUp(); // it publishes what waits, if the server lets it
    this.account = await this.#house.crypto.account();
    this.isUnpublished = await this.#isUnpublished();
  }

  /** A new key that others seal to. Never rejects: `told` and `failure` tell. */
  async rotateSealing(): Promise<void> {
    await this.#work("sealing", () => this.#change({ kind: "rotate", nowMs: Date.now() }));
  }

  /** A new signing key, which the old one names. Never rejects. */
  async rotateSigning(): Promise<void> {
    await this.#work("signing", () => this.#change({ kind: "rotate-signing", nowMs: Date.now() }));
  }

  /** Publishes a key that waits. Never rejects. */
  async finish(): Promise<void> {
    await this.#work("signing", () => this.#verified(() => publishRecord(this.#house)));
  }

  /** Does one step of the rescue, or takes the person's word that it is done. Each can be repeated. Never rejects. */
  async rescue(step: RescueStep): Promise<void> {
    const isDone = await this.#work(step, async () => {
      if (step === "sessions") await this.#endOthers();
      if (step === "keys") await this.#shutOut();
    });
    if (!isDone) return;
    const done = RESCUE_STEPS.filter((each) => each === step || this.done.includes(each));
    await this.#house.memory.note({ rescue: done.length === RESCUE_STEPS.length ? [] : done });
    this.done = done;
  }

  close(): void {
    this.working = null;
  }

  async #endOthers(): Promise<void> {
    const { api } = this.#house;
    await this.#verified(async () => {
      const { items } = await api.get("/api/v1/sessions");
      for (const { id, current } of items) {
        if (!current) await endSession(api, id);
      }
    });
  }

  /** Interrupted after the keyring, only its publication is left: a second shut-out would name a key that nobody knows. */
  async #shutOut(): Promise<void> {
    const keep = this.#house.memory.deviceId;
    if (await this.#isUnpublished()) return this.#verified(() => publishRecord(this.#house));
    return this.#change({ kind: "shut-out", keep, nowMs: Date.now() });
  }

  async #change(change: KeyringChange): Promise<void> {
    try {
      await changeKeys(this.#house, change);
    } catch (error) {
      if (!isCode(error, "verification-needed")) throw error;
      await this.#verified(() => publishRecord(this.#house)); // the keyring is stored: the record is left
    }
  }

  #verified(work: () => Promise<void>): Promise<void> {
    return this.#house.part(Verification).run(work);
  }

  /** True also when the server cannot be asked and this device does not know better. */
  async #isUnpublished(): Promise<boolean> {
    const { crypto, people, account } = this.#house;
    try {
      const { sign } = await crypto.account();
      return (await crypto.publishedKey(await people.history(account.acct))) !== sign;
    } catch {
      return false;
    }
  }

  async #work(what: NonNullable<typeof this.working>, work: () => Promise<void>): Promise<boolean> {
    if (this.working !== null) return false;
    [this.working, this.told, this.failure] = [what, null, null];
    try {
      await work();
      this.told = what === "sealing" || what === "signing" ? what : null;
      return true;
    } catch (error) {
      const failure = failureOf(error);
      if (failure.code !== "closed") this.failure = failure; // else the person thought better of it
      // What the other device made holds: this one goes on with it.
      if (failure.code === "keyring-conflict") await refreshKeyring(this.#house).catch(() => undefined);
      return false;
    } finally {
      this.working = null;
      this.account = await this.#house.crypto.account();
      this.isUnpublished = await this.#isUnpublished();
    }
  }
}
