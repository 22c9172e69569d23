/** How the account is told of news while no page is open: this browser, others, mail, and when not. */

import type { components } from "../protocol/api";
import { noteLanguage, ownPush, type BrowserPush, type PushAbility } from "../transfer/push";
import type { Api } from "../transfer/http";
import { failureOf, Refused, type Failure } from "./failure";
import type { Memory } from "./memory";

export type Notices = components["schemas"]["Notices"];
export type Quiet = components["schemas"]["Quiet"];
/** `on` and `off` where it can be had; else why it cannot. */
export type Here = "on" | "off" | Exclude<PushAbility, "yes">;
export type NoticesPhase =
  | { kind: "loading" }
  | { kind: "ready"; notices: Notices }
  | { kind: "failed"; failure: Failure }
  | { kind: "offline" };
/** What is being changed, or did not work. */
export type NoticesPart = "here" | "quiet" | "mail" | "code";

export interface NoticesHouse {
  readonly api: Api;
  readonly memory: Pick<Memory, "isTold" | "note">;
  readonly choices: { readonly chosen: { readonly language: string } };
  readonly live: { listen(listener: (happening: { kind: string }) => void): () => void };
  readonly signal: AbortSignal;
}

/** As the server takes it (wire_push.py). */
const ADDRESS = /^[^\s@<>,;:"()[\]\\]{1,64}@[A-Za-z0-9.-]{1,190}$/u;
const CODE = /^\d{8}$/u;

export class NoticesState {
  phase: NoticesPhase = $state.raw({ kind: "loading" });
  here: Here = $state("off");
  working: NoticesPart | null = $state(null);
  refused: { part: NoticesPart; failure: Failure } | null = $state.raw(null);
  readonly #house: NoticesHouse;
  readonly #push: BrowserPush;
  readonly #unlisten: () => void;
  #isRenewed = false;

  constructor(house: NoticesHouse, push: BrowserPush = ownPush) {
    this.#house = house;
    this.#push = push;
    this.#unlisten = house.live.listen(({ kind }) => {
      if (kind === "connected") void this.#renewOnce();
    });
    void this.#renewOnce();
  }

  /** Never rejects: `phase` tells. */
  async look(): Promise<void> {
    try {
      await this.#take(await this.#house.api.get("/api/v1/notices"));
    } catch (error) {
      const failure = failureOf(error);
      this.phase = failure.code === "offline" ? { kind: "offline" } : { kind: "failed", failure };
    }
  }

  /** After a press: the browser asks the person. Never rejects: `here` and `refused` tell. */
  async turnOn(): Promise<void> {
    await this.#change("here", async () => {
      if (!(await this.#push.ask())) throw new Refused("push-refused");
      await this.#subscribe();
      await this.#house.memory.note({ isTold: true });
      await noteLanguage(this.#house.choices.chosen.language, true);
    });
  }

  /** Never rejects. */
  async turnOff(): Promise<void> {
    await this.#change("here", async () => {
      await this.#house.memory.note({ isTold: false });
      await this.#push.end();
      for (const { id, here } of this.#notices()?.subscriptions ?? []) if (here) await this.#remove(id);
    });
  }

  /** Another browser is told no more. Never rejects. */
  async remove(id: string): Promise<void> {
    await this.#change("here", () => this.#remove(id));
  }

  /** Hours of the day in which nobody disturbs, by this device's clock; null ends them. Never rejects. */
  async setQuiet(hours: Pick<Quiet, "begins" | "ends"> | null): Promise<void> {
    await this.#change("quiet", async () => {
      if (hours === null) return this.#house.api.delete("/api/v1/notices/quiet");
      if (hours.begins === hours.ends) throw new Refused("quiet-empty");
      await this.#house.api.put("/api/v1/notices/quiet", { ...hours, zone: ownZone() });
    });
  }

  /** Sends a code to an address, unless it is the one that was verified. Never rejects. */
  async setMail(address: string, everyS: number): Promise<void> {
    await this.#change("mail", async () => {
      const trimmed = address.trim();
      if (!ADDRESS.test(trimmed)) throw new Refused("bad-address");
      const language = this.#house.choices.chosen.language === "fr" ? "fr" : "en";
      await this.#house.api.put("/api/v1/notices/mail", { address: trimmed, every_s: everyS, language });
    });
  }

  /** Never rejects. */
  async verify(code: string): Promise<void> {
    await this.#change("code", async () => {
      const digits = code.replace(/\s+/gu, "");
      if (!CODE.test(digits)) throw new Refused("wrong-code");
      await this.#house.api.post("/api/v1/notices/mail/verification", { code: digits });
    });
  }

  /** The server forgets the address. Never rejects. */
  async stopMail(): Promise<void> {
    await this.#change("mail", () => this.#house.api.delete("/api/v1/notices/mail"));
  }

  close(): void {
    this.#unlisten();
  }

  async #take(notices: Notices): Promise<void> {
    const { memory } = this.#house;
    const { ability } = this.#push;
    const isOn = memory.isTold && (await this.#push.subscribed(notices.push_key)) !== null;
    this.here = ability === "yes" ? (isOn ? "on" : "off") : ability;
    this.phase = { kind: "ready", notices };
  }

  #notices(): Notices | null {
    return this.phase.kind === "ready" ? this.phase.notices : null;
  }

  async #change(part: NoticesPart, work: () => Promise<unknown>): Promise<void> {
    if (this.working !== null) return;
    [this.working, this.refused] = [part, null];
    try {
      await work();
    } catch (error) {
      this.refused = { part, failure: failureOf(error) };
    } finally {
      await this.look();
      this.working = null;
    }
  }

  async #remove(id: string): Promise<void> {
    await this.#house.api.delete("/api/v1/notices/push/{subscription_id}", { path: { subscription_id: id } });
  }

  async #subscribe(): Promise<void> {
    const { push_key: key } = await this.#house.api.get("/api/v1/notices");
    const subscribed = (await this.#push.subscribed(key)) ?? (await this.#push.subscribe(key));
    await this.#house.api.put("/api/v1/notices/push", subscribed);
  }

  /** At each visit, and only when the person wanted to be told here: push services end what is not renewed. */
  async #renewOnce(): Promise<void> {
    const { memory, choices, signal } = this.#house;
    if (this.#isRenewed || !memory.isTold || this.#push.ability !== "yes") return;
    this.#isRenewed = true;
    try {
      await this.#subscribe();
      await noteLanguage(choices.chosen.language, true);
    } catch (error) {
      this.#isRenewed = signal.aborted; // at the next connection
      failureOf(error);
    }
  }
}

/** Such as Europe/Paris. */
export function ownZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}
