/** Becoming the operator of this server, by the link that its terminal printed. */

import type { Api } from "../transfer/http";
import { failureOf, type Failure } from "./failure";

export type OperatorLinkPhase =
  { kind: "none" } | { kind: "asking"; working: boolean; failure: Failure | null } | { kind: "done"; phones: string };

const SECRET = /^[A-Za-z0-9_-]{43}$/;

/** Whether the account runs this server; when nobody can be asked, it does not show the desk. Never rejects. */
export async function runsServer(api: Api): Promise<boolean> {
  try {
    return (await api.get("/api/v1/operator")).since !== null;
  } catch {
    return false;
  }
}

export class OperatorLink {
  phase: OperatorLinkPhase = $state.raw({ kind: "none" });
  readonly #api: Api;
  readonly #secret: string;

  /** @param secret What stood behind the # of the link. */
  constructor(tools: { readonly api: Api }, secret: string) {
    this.#api = tools.api;
    this.#secret = secret;
    if (SECRET.test(secret)) this.phase = { kind: "asking", working: false, failure: null };
  }

  /** Shows the link to the server. Never rejects: `phase` tells. */
  async claim(): Promise<void> {
    if (this.phase.kind !== "asking" || this.phase.working) return;
    this.phase = { kind: "asking", working: true, failure: null };
    try {
      await this.#api.post("/api/v1/operator", { link: this.#secret });
      this.phase = { kind: "done", phones: (await this.#api.get("/api/v1/operator")).phones };
    } catch (error) {
      this.phase = { kind: "asking", working: false, failure: failureOf(error) };
    }
  }
}
