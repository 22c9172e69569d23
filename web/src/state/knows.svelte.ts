/** What the server says that it has about this account. */

import type { components } from "../protocol/api";
import type { Api } from "../transfer/http";
import { failureOf, type Failure } from "./failure";

export type Known = components["schemas"]["Known"];

export type KnowsPhase =
  { kind: "loading" } | { kind: "ready"; known: Known } | { kind: "failed"; failure: Failure } | { kind: "offline" };

export class KnowsState {
  phase: KnowsPhase = $state.raw({ kind: "loading" });
  readonly #api: Api;

  constructor(tools: { readonly api: Api }) {
    this.#api = tools.api;
  }

  /** Asks. Never rejects: `phase` tells. */
  async look(): Promise<void> {
    try {
      this.phase = { kind: "ready", known: await this.#api.get("/api/v1/account/known") };
    } catch (error) {
      const failure = failureOf(error);
      this.phase = failure.code === "offline" ? { kind: "offline" } : { kind: "failed", failure };
    }
  }
}
