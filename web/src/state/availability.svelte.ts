/** Whether sending is open to whoever is signed in, from where they are, on what they use; and what they can do about it. */

import type { Api } from "../transfer/http";
import type { Opens } from "./entry.svelte";
import { failureOf, type Failure } from "./failure";

export type { Opens };
/** What a person asks for: that their country counts, that an invite is taken, that they are told or no longer told. */
export type OpensWish = "country" | "invite" | "told";

export interface AvailabilityHouse {
  readonly api: Api;
  readonly choices: { readonly chosen: { readonly language: string } };
}

export class AvailabilityState {
  /** Null while nobody knows; then the sending itself tells. */
  opens: Opens | null = $state.raw(null);
  working: OpensWish | null = $state(null);
  /** Why the last wish did not work. */
  refused: { what: OpensWish; failure: Failure } | null = $state.raw(null);
  /** A wish has just opened it. */
  isOpened = $state(false);
  readonly #house: AvailabilityHouse;

  constructor(house: AvailabilityHouse) {
    this.#house = house;
  }

  /** Never rejects. */
  async look(): Promise<void> {
    try {
      this.opens = await this.#house.api.get("/api/v1/availability");
    } catch {
      // What was known before still is the best that is known.
    }
  }

  /** Says where the account is at home. Never rejects: `refused` tells. */
  async setCountry(country: string): Promise<void> {
    await this.#ask("country", () => this.#house.api.put("/api/v1/account/country", { country }));
  }

  /** Never rejects: `refused` tells. */
  async showInvite(typed: string): Promise<void> {
    await this.#ask("invite", () => this.#house.api.post("/api/v1/account/invite", { ticket: typed.trim() }));
  }

  /** Has the person told when it opens, as they are of new videos, or no longer. Never rejects: `refused` tells. */
  async tellMe(isWanted: boolean): Promise<void> {
    const { api } = this.#house;
    await this.#ask("told", async () => {
      const known = { mail: null, country: null }; // the account's own
      if (isWanted) return api.post("/api/v1/availability/waiting", { ...known, language: this.#language });
      await api.delete("/api/v1/availability/waiting");
      return api.get("/api/v1/availability");
    });
  }

  async #ask(what: OpensWish, ask: () => Promise<Opens>): Promise<void> {
    if (this.working !== null) return;
    [this.working, this.refused] = [what, null];
    try {
      const opens = await ask();
      this.isOpened = opens.allowed && this.opens?.allowed === false;
      this.opens = opens;
    } catch (error) {
      this.refused = { what, failure: failureOf(error) };
    } finally {
      this.working = null;
    }
  }

  get #language(): "en" | "fr" {
    return this.#house.choices.chosen.language === "fr" ? "fr" : "en";
  }
}
