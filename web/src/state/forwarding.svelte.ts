/** Passing a received message on, where its sender allowed it. */

import { FORWARD_RECIPIENTS, RECIPIENTS } from "../protocol/limits";
import { fetchEnvelope } from "./envelope";
import { failureOf, Refused, type Failure } from "./failure";
import type { House } from "./house.svelte";
import type { Letter } from "./letters";

export type ForwardingPhase =
  { kind: "idle" | "working" } | { kind: "done"; to: readonly string[] } | { kind: "failed"; failure: Failure };

type Tools = Pick<House, "api" | "crypto" | "people" | "shards" | "account" | "signal">;

export class Forwarding {
  phase: ForwardingPhase = $state.raw({ kind: "idle" });
  readonly #tools: Tools;

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  /** Whether its recipient may pass it on. */
  static allows({ content }: Letter): boolean {
    return content?.mayForward === true && content.once !== true && content.original === undefined;
  }

  /** Seals it for each of these and hands that to the server. Never rejects: `phase` tells. */
  async send(id: string, accts: readonly string[]): Promise<void> {
    if (this.phase.kind === "working") return;
    this.phase = { kind: "working" };
    try {
      await this.#send(id, accts);
      this.phase = { kind: "done", to: accts };
    } catch (error) {
      if (!this.#tools.signal.aborted) this.phase = { kind: "failed", failure: failureOf(error) };
    }
  }

  /** Back to the beginning. */
  reset(): void {
    if (this.phase.kind !== "working") this.phase = { kind: "idle" };
  }

  async #send(id: string, accts: readonly string[]): Promise<void> {
    if (accts.length > RECIPIENTS) throw new Refused("too-many-recipients");
    const { api, crypto, people, shards, account } = this.#tools;
    await shards.need("contacts");
    const sealed = await fetchEnvelope(api, id, "inbox");
    for (let from = 0; from < accts.length; from += FORWARD_RECIPIENTS) {
      const some = accts.slice(from, from + FORWARD_RECIPIENTS);
      const records = await Promise.all(some.map(async (acct) => people.meetRecipient(acct)));
      const envelopes = await crypto.forwardMessage(sealed, account.name, records, Date.now());
      await api.post("/api/v1/messages/{message_id}/forwards", { envelopes }, { path: { message_id: id } });
    }
  }
}
