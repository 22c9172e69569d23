/** Pairing a command line with this account: what it asks, and what the person answers (docs/protocol/lifecycle.md). */

import { b64 } from "../protocol/encoding";
import { newId } from "../protocol/ids";
import { distrust } from "./entering";
import { failureOf, isCode, type Failure } from "./failure";
import type { House } from "./house.svelte";
import { storeChange } from "./keyring";
import type { PairingLink } from "./pairing-link";
import { Verification } from "./verification.svelte";

/** What the machine says of itself, and the words that both sides show. */
export interface Asking {
  readonly label: string;
  readonly words: readonly string[];
}

/** - `asking`: the person decides; `failure` is why the last try came to nothing, `working` that one is under way. */
export type PairingState =
  | { kind: "loading" }
  | { kind: "none" }
  | { kind: "asking"; asking: Asking; working: boolean; failure: Failure | null }
  | { kind: "approved"; asking: Asking; working: boolean; failure: Failure | null }
  | { kind: "refused" | "undone"; asking: Asking }
  | { kind: "failed"; failure: Failure };

export class Pairing {
  state: PairingState = $state.raw({ kind: "loading" });
  readonly #house: House;
  readonly #verification: Verification;
  #link: PairingLink | null = null;
  /** The machine among the keyring's devices. */
  #did = "";

  constructor(house: House) {
    this.#house = house;
    this.#verification = house.part(Verification);
  }

  /** Asks the server which machine it is. Never rejects: `state` tells. */
  async open(link: PairingLink | null): Promise<void> {
    this.#link = link;
    this.#did = newId("dev");
    if (link === null) {
      this.state = { kind: "none" };
      return;
    }
    this.state = { kind: "loading" };
    try {
      const { lookup, recipient } = link;
      const words = await this.#house.crypto.pairingWords(recipient);
      const asked = words && (await this.#house.api.get("/api/v1/pairings/{lookup}", { path: { lookup } }));
      if (this.#link !== link) return; // another address was opened meanwhile
      if (words === null || asked === null) this.state = { kind: "none" };
      else this.state = { kind: "asking", asking: { label: asked.label, words }, working: false, failure: null };
    } catch (error) {
      if (this.#link === link) this.state = { kind: "failed", failure: failureOf(error) };
    }
  }

  /** Seals the keyring to the machine too, and lets it in; who decides may be asked anew. Never rejects. */
  async approve(): Promise<void> {
    const { asking, link } = this.#asked();
    if (asking === null || link === null) return;
    this.state = { kind: "asking", asking, working: true, failure: null };
    try {
      await this.#verification.run(() => this.#approve(link, asking.label));
      this.state = { kind: "approved", asking, working: false, failure: null };
    } catch (error) {
      const failure = failureOf(error);
      if (failure.code === "pairing-expired") this.state = { kind: "failed", failure };
      else this.state = { kind: "asking", asking, working: false, failure: failure.code === "closed" ? null : failure };
    }
  }

  /** Tells the machine no. Never rejects. */
  async refuse(): Promise<void> {
    const { asking, link } = this.#asked();
    if (asking === null || link === null) return;
    this.state = { kind: "asking", asking, working: true, failure: null };
    try {
      await this.#withdraw(link);
      this.state = { kind: "refused", asking };
    } catch (error) {
      this.state = { kind: "asking", asking, working: false, failure: failureOf(error) };
    }
  }

  /** Removes the machine that was just let in. Never rejects. */
  async undo(): Promise<void> {
    if (this.state.kind !== "approved" || this.state.working) return;
    const { asking } = this.state;
    this.state = { kind: "approved", asking, working: true, failure: null };
    try {
      await this.#remove();
      this.state = { kind: "undone", asking };
    } catch (error) {
      this.state = { kind: "approved", asking, working: false, failure: failureOf(error) };
    }
  }

  close(): void {
    this.#link = null;
  }

  /** What can be decided now. */
  #asked(): { asking: Asking | null; link: PairingLink | null } {
    const { state } = this;
    const asking = state.kind === "asking" && !state.working ? state.asking : null;
    return { asking, link: this.#link };
  }

  /** It comes to the same when its time is over. */
  async #withdraw({ lookup }: PairingLink): Promise<void> {
    try {
      await this.#house.api.delete("/api/v1/pairings/{lookup}", { path: { lookup } });
    } catch (error) {
      if (!isCode(error, "pairing-expired")) throw error;
    }
  }

  async #approve({ lookup, recipient }: PairingLink, label: string): Promise<void> {
    const { api, memory } = this.#house;
    const change = { kind: "pair-device", did: this.#did, label, recipient, nowMs: Date.now() } as const;
    const { account } = await storeChange(this.#house, change, async ({ sealed }, version) => {
      const path = "/api/v1/pairings/{lookup}/approval";
      const body = { keyring: b64(sealed), device: this.#did };
      await api.post(path, body, { path: { lookup }, headers: { "if-match": version } });
      return "";
    });
    await memory.raise("keyring", account.rev);
  }

  /** The approval first: a machine that has not come for it yet gets nothing. */
  async #remove(): Promise<void> {
    const { api } = this.#house;
    if (this.#link !== null) await this.#withdraw(this.#link);
    const { items } = await api.get("/api/v1/sessions");
    for (const { id } of items.filter(({ device }) => device === this.#did)) {
      const path = { session_id: id };
      await this.#house.part(Verification).run(() => api.delete("/api/v1/sessions/{session_id}", { path }));
    }
    await distrust(this.#house, [this.#did]);
  }
}
