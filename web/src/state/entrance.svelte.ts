/** Who may come in, at the operator's desk: switches with a preview, who waits, invites. */

import type { components } from "../protocol/api";
import { refusedBy, type DeskPhase } from "./desk-phase";
import { failureOf, type Failure } from "./failure";
import type { House } from "./house.svelte";
import { Verification } from "./verification.svelte";

type Schemas = components["schemas"];
export type DeskDoor = Schemas["DeskDoor"];
export type DeskSwitch = Schemas["DeskSwitch"];
export type DeskCase = Schemas["DeskCase"];
export type DeskWaiter = Schemas["DeskWaiter"];
export type DeskInvite = Schemas["DeskInvite"];

export interface EntranceView {
  doors: Schemas["DeskDoors"];
  waiting: Schemas["DeskWaiting"];
  invites: readonly DeskInvite[];
}

type Tools = Pick<House, "api" | "part" | "signal">;

export class EntranceState {
  phase: DeskPhase<EntranceView> = $state.raw({ kind: "loading" });
  /** The switches as they would be. */
  draft: readonly DeskSwitch[] = $state.raw([]);
  /** What the draft would change for people; null: not asked since the draft changed. */
  preview: readonly DeskCase[] | null = $state.raw(null);
  /** Code of the invite that was just made. */
  code = $state("");
  working = $state(false);
  failure: Failure | null = $state.raw(null);
  readonly #tools: Tools;

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  /** Asks for everything, and forgets a draft. Never rejects: `phase` tells. */
  async look(): Promise<void> {
    try {
      const { api } = this.#tools;
      const [doors, waiting, invites] = await Promise.all([
        api.get("/api/v1/operator/availability"),
        api.get("/api/v1/operator/waiting"),
        api.get("/api/v1/operator/invites"),
      ]);
      this.phase = { kind: "ready", desk: { doors, waiting, invites: invites.items } };
      [this.draft, this.preview] = [doors.items.filter(({ switched }) => switched).map(switchOf), null];
    } catch (error) {
      if (!this.#tools.signal.aborted) this.phase = refusedBy(error);
    }
  }

  /** Notes what a country or platform is to be; null: as the file says. Nothing is changed yet. */
  set(what: DeskSwitch["what"], name: string, wanted: Pick<DeskSwitch, "phase" | "opens_at"> | null): void {
    const rest = this.draft.filter((each) => each.what !== what || each.name !== name);
    this.draft = wanted === null ? rest : [...rest, { what, name, ...wanted }];
    [this.preview, this.failure] = [null, null];
  }

  /** Asks what people would see with the draft. Never rejects. */
  async show(): Promise<void> {
    const items = [...this.draft];
    await this.#work(async () => {
      const told = await this.#tools.api.post("/api/v1/operator/availability/preview", { items });
      this.preview = told.items;
    });
  }

  /** Puts the draft in force; who this is may be asked first. Never rejects. */
  async apply(): Promise<void> {
    const { api } = this.#tools;
    const items = [...this.draft];
    await this.#work(async () => {
      await this.#verified(() => api.put("/api/v1/operator/availability", { items }));
      await this.look();
    });
  }

  /** Lets somebody who waits into the beta where they are. Never rejects. */
  async invite(waiting: number): Promise<void> {
    const path = { waiting_id: String(waiting) };
    await this.#work(async () => {
      const { api } = this.#tools;
      await this.#verified(() => api.post("/api/v1/operator/waiting/{waiting_id}/invite", undefined, { path }));
      await this.look();
    });
  }

  /** Makes an invite, whose code is shown this once. Never rejects. */
  async make(note: string, uses: number): Promise<void> {
    await this.#work(async () => {
      const { api } = this.#tools;
      const made = await this.#verified(() => api.post("/api/v1/operator/invites", { note, uses, days: null }));
      await this.look();
      this.code = made.code;
    });
  }

  /** Takes an invite back. Never rejects. */
  async revoke(invite: string): Promise<void> {
    await this.#work(async () => {
      const path = { invite_id: invite };
      await this.#verified(() => this.#tools.api.delete("/api/v1/operator/invites/{invite_id}", { path }));
      this.code = "";
      await this.look();
    });
  }

  async #verified<T>(action: () => Promise<T>): Promise<T> {
    return await this.#tools.part(Verification).run(action, "desk");
  }

  async #work(work: () => Promise<void>): Promise<void> {
    if (this.working) return;
    [this.working, this.failure] = [true, null];
    try {
      await work();
    } catch (error) {
      if (!this.#tools.signal.aborted && failureOf(error).code !== "closed") this.failure = failureOf(error);
    } finally {
      this.working = false;
    }
  }
}

export const switchOf = ({ what, name, phase, opens_at }: DeskDoor): DeskSwitch => ({ what, name, phase, opens_at });
