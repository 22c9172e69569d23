/** Plans at the operator's desk: how many have which, what was given, what was paid by hand. */

import type { components } from "../protocol/api";
import type { Body } from "../transfer/http";
import { refusedBy, type DeskPhase } from "./desk-phase";
import { failureOf, type Failure } from "./failure";
import type { House } from "./house.svelte";
import { Verification } from "./verification.svelte";

type Schemas = components["schemas"];
export type DeskPlan = Schemas["DeskPlan"];
export type DeskGrant = Schemas["DeskGrant"];
export type Gift = Body<"post", "/api/v1/operator/grants">;
export type Paid = Body<"post", "/api/v1/operator/payments">;

export interface DeskPlansView {
  plans: Schemas["DeskPlans"];
  grants: Schemas["DeskGrants"];
}

type Tools = Pick<House, "api" | "part" | "signal">;

export class DeskPlansState {
  phase: DeskPhase<DeskPlansView> = $state.raw({ kind: "loading" });
  working = $state(false);
  failure: Failure | null = $state.raw(null);
  /** What the last change made of a grant. */
  done: DeskGrant | null = $state.raw(null);
  readonly #tools: Tools;

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  /** Never rejects: `phase` tells. */
  async look(): Promise<void> {
    try {
      const { api } = this.#tools;
      const [plans, grants] = await Promise.all([
        api.get("/api/v1/operator/plans"),
        api.get("/api/v1/operator/grants", { query: {} }),
      ]);
      this.phase = { kind: "ready", desk: { plans, grants } };
    } catch (error) {
      if (!this.#tools.signal.aborted) this.phase = refusedBy(error);
    }
  }

  /** Gives a plan or videos; who this is may be asked first. Never rejects. */
  async give(gift: Gift): Promise<void> {
    await this.#change(() => this.#tools.api.post("/api/v1/operator/grants", gift));
  }

  /** Records a payment that arrived; the same reference again changes nothing. Never rejects. */
  async pay(paid: Paid): Promise<void> {
    await this.#change(() => this.#tools.api.post("/api/v1/operator/payments", paid));
  }

  /** Ends what was given. Never rejects. */
  async end(grant: string): Promise<void> {
    const path = { grant_id: grant };
    await this.#change(() => this.#tools.api.post("/api/v1/operator/grants/{grant_id}/end", undefined, { path }));
  }

  async #change(act: () => Promise<DeskGrant>): Promise<void> {
    if (this.working) return;
    [this.working, this.failure, this.done] = [true, null, null];
    try {
      this.done = await this.#tools.part(Verification).run(act, "desk");
      await this.look();
    } catch (error) {
      if (!this.#tools.signal.aborted && failureOf(error).code !== "closed") this.failure = failureOf(error);
    } finally {
      this.working = false;
    }
  }
}
