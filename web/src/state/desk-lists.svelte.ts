/** The lists of the operator's desk: who is here, the work that waits, what operators did. */

import type { components } from "../protocol/api";
import { refusedBy, type DeskPhase } from "./desk-phase";
import { failureOf, type Failure } from "./failure";
import type { House } from "./house.svelte";
import { Verification } from "./verification.svelte";

type Schemas = components["schemas"];
export type DeskAct = Schemas["DeskAct"];
export type DeskPerson = Schemas["DeskPerson"];
export type DeskTasks = Schemas["DeskTasks"];
type Tools = Pick<House, "api" | "part" | "signal">;

interface Listed<T> {
  items: readonly T[];
  more: boolean;
}

export class DeskPeopleState {
  phase: DeskPhase<Listed<DeskPerson>> = $state.raw({ kind: "loading" });
  readonly #tools: Tools;
  #like = "";
  #turn = 0;

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  /** Lists those whose name has `like` in it; the answer to the last question counts. Never rejects. */
  async look(like = this.#like): Promise<void> {
    this.#like = like;
    await this.#page([]);
  }

  /** Adds the next page. Never rejects. */
  async further(): Promise<void> {
    if (this.phase.kind === "ready") await this.#page(this.phase.desk.items);
  }

  async #page(before: readonly DeskPerson[]): Promise<void> {
    const turn = ++this.#turn;
    try {
      const query = { like: this.#like, after: before.at(-1)?.name ?? "" };
      const { items, more } = await this.#tools.api.get("/api/v1/operator/people", { query });
      if (turn === this.#turn) this.phase = { kind: "ready", desk: { items: [...before, ...items], more } };
    } catch (error) {
      if (turn === this.#turn && !this.#tools.signal.aborted) this.phase = refusedBy(error);
    }
  }
}

export class DeskRecordState {
  phase: DeskPhase<Listed<DeskAct> & { whole: boolean }> = $state.raw({ kind: "loading" });
  readonly #tools: Tools;

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  /** Asks for the newest lines, or for those before what is shown. Never rejects. */
  async look(further = false): Promise<void> {
    const before = further && this.phase.kind === "ready" ? this.phase.desk.items : [];
    const last = before.at(-1);
    try {
      const query = last === undefined ? {} : { before: last.seq };
      const { items, whole, more } = await this.#tools.api.get("/api/v1/operator/acts", { query });
      this.phase = { kind: "ready", desk: { items: [...before, ...items], whole, more } };
    } catch (error) {
      if (!this.#tools.signal.aborted) this.phase = refusedBy(error);
    }
  }
}

export class DeskWorkState {
  phase: DeskPhase<readonly DeskTasks[]> = $state.raw({ kind: "loading" });
  working = $state(false);
  failure: Failure | null = $state.raw(null);
  readonly #tools: Tools;

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  /** Never rejects: `phase` tells. */
  async look(): Promise<void> {
    try {
      const { items } = await this.#tools.api.get("/api/v1/operator/work");
      this.phase = { kind: "ready", desk: items };
    } catch (error) {
      if (!this.#tools.signal.aborted) this.phase = refusedBy(error);
    }
  }

  /** Has what failed of a kind tried again now; who this is may be asked first. Never rejects. */
  async retry(kind: string): Promise<void> {
    if (this.working) return;
    [this.working, this.failure] = [true, null];
    try {
      const { api } = this.#tools;
      const told = await this.#tools.part(Verification).run(() => api.post("/api/v1/operator/work", { kind }), "desk");
      this.phase = { kind: "ready", desk: told.items };
    } catch (error) {
      if (!this.#tools.signal.aborted && failureOf(error).code !== "closed") this.failure = failureOf(error);
    } finally {
      this.working = false;
    }
  }
}
