/** Reporting one received message to the operator, who is then able to open it, and no other. */

import { b64 } from "../protocol/encoding";
import type { Body } from "../transfer/http";
import { fetchEnvelope } from "./envelope";
import { failureOf, type Failure } from "./failure";
import type { House } from "./house.svelte";

export type ReportReason = Body<"post", "/api/v1/reports">["reason"];

/** `contact`: the operator's address for what cannot wait, or empty. */
export type ReportingPhase =
  { kind: "idle" | "working" } | { kind: "done"; contact: string } | { kind: "failed"; failure: Failure };

type Tools = Pick<House, "api" | "crypto" | "shards" | "signal">;

export class Reporting {
  phase: ReportingPhase = $state.raw({ kind: "idle" });
  readonly #tools: Tools;

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  /** Discloses the message's signed container, and so its key. Never rejects: `phase` tells; gives whether it was taken. */
  async report(id: string, reason: ReportReason, note: string): Promise<boolean> {
    if (this.phase.kind === "working") return false;
    this.phase = { kind: "working" };
    try {
      const { api, crypto, shards } = this.#tools;
      await shards.need("contacts");
      const { container } = await crypto.openEnvelope(await fetchEnvelope(api, id, "inbox"), Date.now());
      const said = { message: id, reason, container: b64(container), note: note.trim() };
      const { contact } = await api.post("/api/v1/reports", said);
      this.phase = { kind: "done", contact };
      return true;
    } catch (error) {
      if (!this.#tools.signal.aborted) this.phase = { kind: "failed", failure: failureOf(error) };
      return false;
    }
  }

  /** Back to the beginning. */
  reset(): void {
    if (this.phase.kind !== "working") this.phase = { kind: "idle" };
  }
}
