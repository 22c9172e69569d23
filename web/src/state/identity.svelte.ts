/** Who somebody is at the operator's provider of identities, and the link of the mailbox to it. It opens nothing. */

import type { Answer, Api } from "../transfer/http";
import { askServer } from "./entering";
import { failureOf, type Failure } from "./failure";
import { phaseOf, type Phase } from "./phase";

export type IdentityPhase =
  Exclude<Phase, { kind: "ready" }> | { kind: "ready"; identity: Answer<"get", "/api/v1/account/identity"> };

/** Refusals of a proof, which is good for half an hour and in one browser: only another visit makes another one. */
const SPENT: ReadonlySet<string> = new Set(["ticket-refused", "ticket-used", "identity-linked"]);
const IDENTITY = "/api/v1/account/identity";

/** How the provider is called, or empty where there is none or nobody can be asked. Never rejects. */
export async function providerHere(api: Api): Promise<string> {
  try {
    return (await askServer(api)).provider;
  } catch {
    return "";
  }
}

export class IdentityState {
  phase: IdentityPhase = $state.raw({ kind: "loading" });
  /** Somebody came back from the provider: what was proved there waits for a yes. */
  isProved = $state(false);
  working = $state(false);
  failure: Failure | null = $state.raw(null);
  told: "linked" | "unlinked" | null = $state(null);
  readonly #api: Api;
  #ticket: string;

  /** @param fragment What stood behind the # of the address to which the provider led back. */
  constructor(house: { readonly api: Api }, fragment: string) {
    const said = new URLSearchParams(fragment);
    this.#api = house.api;
    this.#ticket = said.get("ticket") ?? "";
    this.isProved = this.#ticket !== "";
    if (said.has("failed")) this.failure = { code: "provider-failed" };
  }

  /** Never rejects: `phase` tells. */
  async look(): Promise<void> {
    try {
      this.phase = { kind: "ready", identity: await this.#api.get(IDENTITY) };
    } catch (error) {
      const phase = phaseOf(error);
      if (phase.kind !== "ready") this.phase = phase;
    }
  }

  /** Links the mailbox to what was proved. Never rejects: `failure` and `told` tell. */
  async link(): Promise<void> {
    if (!this.isProved) return;
    await this.#change("linked", async () => {
      const identity = await this.#api.put(IDENTITY, { ticket: this.#ticket });
      this.drop();
      this.phase = { kind: "ready", identity };
    });
    const code = this.failure?.code ?? "";
    if (SPENT.has(code)) this.drop();
    if (code === "ticket-refused") this.failure = { code: "provider-failed" };
  }

  /** What was proved is not wanted. */
  drop(): void {
    this.#ticket = "";
    this.isProved = false;
  }

  /** Never rejects: `failure` and `told` tell. */
  async unlink(): Promise<void> {
    await this.#change("unlinked", async () => {
      await this.#api.delete(IDENTITY);
      await this.look();
    });
  }

  async #change(told: "linked" | "unlinked", work: () => Promise<void>): Promise<void> {
    if (this.working) return;
    this.working = true;
    this.failure = this.told = null;
    try {
      await work();
      this.told = told;
    } catch (error) {
      this.failure = failureOf(error);
    } finally {
      this.working = false;
    }
  }
}
