/** What the account may send here, what it used of it, and the ways to more. */

import type { components } from "../protocol/api";
import type { Api } from "../transfer/http";
import { failureOf, type Failure } from "./failure";

export type Standing = components["schemas"]["Standing"];
export type Plan = components["schemas"]["Plan"];
export type Payment = components["schemas"]["Payment"];
export type PlanPhase =
  | { kind: "loading" }
  | { kind: "ready"; standing: Standing }
  | { kind: "failed"; failure: Failure }
  | { kind: "offline" };

export interface PlanHouse {
  readonly api: Api;
  readonly choices: { readonly chosen: { readonly language: string } };
}

export class PlanState {
  phase: PlanPhase = $state.raw({ kind: "loading" });
  /** The plan that is being begun, `manage` while its management is opened, or `refresh` after a payment. */
  working: string | null = $state(null);
  /** Why the last wish did not work. */
  failure: Failure | null = $state.raw(null);
  /** How to pay where there is no page for it. */
  payment: Payment | null = $state.raw(null);
  readonly #house: PlanHouse;
  readonly #leave: (url: string) => void;

  /** @param leave goes to the payment provider's page */
  constructor(house: PlanHouse, leave: (url: string) => void = (url) => location.assign(url)) {
    this.#house = house;
    this.#leave = leave;
  }

  /** Null: not known yet. */
  get standing(): Standing | null {
    return this.phase.kind === "ready" ? this.phase.standing : null;
  }

  /** Videos that may still be sent; null: as many as one likes, or nobody knows yet. */
  get left(): number | null {
    if (this.phase.kind !== "ready") return null;
    const { on, used, messages } = this.phase.standing;
    return !on || messages === null ? null : Math.max(0, messages - used);
  }

  /** Never rejects: `phase` tells. */
  async look(): Promise<void> {
    try {
      this.phase = { kind: "ready", standing: await this.#house.api.get("/api/v1/account/plan") };
    } catch (error) {
      const failure = failureOf(error);
      this.phase = failure.code === "offline" ? { kind: "offline" } : { kind: "failed", failure };
    }
  }

  /** Has the server ask the payment provider, for who comes back from there. Never rejects. */
  async refresh(): Promise<void> {
    await this.#work("refresh", async () => {
      const standing = await this.#house.api.post("/api/v1/account/plan/refresh", undefined);
      this.phase = { kind: "ready", standing };
    });
  }

  /** Goes to where a plan is paid, or says how it is. Never rejects: `failure` tells. */
  async pay(plan: string): Promise<void> {
    await this.#work(plan, async () => {
      const payment = await this.#house.api.post("/api/v1/account/plan/payment", { plan, language: this.#language });
      if (payment.url) this.#leave(payment.url);
      else this.payment = payment;
    });
  }

  /** Goes to cards, invoices and the end of the plan. Never rejects: `failure` tells. */
  async manage(): Promise<void> {
    await this.#work("manage", async () => {
      const { url } = await this.#house.api.post("/api/v1/account/plan/management", { language: this.#language });
      if (url) this.#leave(url);
    });
  }

  async #work(what: string, act: () => Promise<void>): Promise<void> {
    if (this.working !== null) return;
    this.working = what;
    this.failure = this.payment = null;
    try {
      await act();
    } catch (error) {
      this.failure = failureOf(error);
    } finally {
      this.working = null;
    }
  }

  get #language(): "en" | "fr" {
    return this.#house.choices.chosen.language === "fr" ? "fr" : "en";
  }
}
