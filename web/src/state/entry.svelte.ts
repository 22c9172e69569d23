/** Whether somebody may open a mailbox here: where and on what it is open, and the ticket that the operator's policy asks for. */

import type { Answer, Api } from "../transfer/http";
import { failureOf, type Failure } from "./failure";

export type Opens = Answer<"get", "/api/v1/availability">;
type Policy = Answer<"get", "/api/v1/server">["sign_up"];

/**
 * `shut`: it is not open there or on this; `told`: the wish to be told is noted. `invite`, `mail`, `provider`: what is to be
 * shown first; `sentTo`: a code is on its way to that address. `free`: go on.
 */
export type EntryView =
  | { kind: "asking" | "free" }
  | { kind: "shut"; opens: Opens; told: boolean; working: boolean; failure: Failure | null }
  | { kind: "invite"; failure: Failure | null }
  | { kind: "provider"; provider: string; failure: Failure | null }
  | { kind: "mail"; sentTo: string | null; working: boolean; failure: Failure | null };

export class Entry {
  view: EntryView = $state.raw({ kind: "asking" });
  /** What a sign-up shows. */
  ticket: string | null;
  /** Where the person says to be. */
  country: string | null = null;
  readonly #api: Api;
  readonly #language: () => "en" | "fr";
  #policy: Policy = "open";
  #provider = "";
  #opens: Opens | null = null;
  #expiresAt = 0;
  #failed: Failure | null;

  /** @param fragment of the page's address: it may bring a ticket. */
  constructor(api: Api, fragment: string, language: () => "en" | "fr") {
    const said = new URLSearchParams(fragment.replace(/^#/u, ""));
    this.#api = api;
    this.#language = language;
    this.ticket = said.get("ticket");
    this.#failed = said.has("failed") ? { code: said.get("failed") ?? "" } : null;
  }

  /** Asks the server; when it cannot be asked, the sign-up itself will tell. Never rejects. */
  async look(): Promise<void> {
    try {
      const { sign_up, provider } = await this.#api.get("/api/v1/server");
      this.#policy = sign_up;
      this.#provider = provider ?? "";
      this.#opens = await this.#api.get("/api/v1/availability", this.#query);
    } catch {
      this.#opens = null;
    }
    this.#show();
  }

  /** Says where one is. Never rejects. */
  async setCountry(country: string): Promise<void> {
    this.country = country;
    await this.look();
  }

  /** Has one mail sent when it opens. Never rejects: `view` tells. */
  async tellMe(mail: string): Promise<void> {
    const { view } = this;
    if (view.kind !== "shut" || view.working) return;
    this.view = { ...view, working: true, failure: null };
    try {
      const body = { mail, language: this.#language(), country: this.country };
      const opens = await this.#api.post("/api/v1/availability/waiting", body);
      this.#opens = opens;
      this.view = { ...view, told: true };
      if (opens.allowed) this.#show();
    } catch (error) {
      this.view = { ...view, working: false, failure: failureOf(error) };
    }
  }

  /** Shows an invite; whether it lets in, the sign-up tells. */
  useInvite(code: string): void {
    this.ticket = code.trim();
    this.#show();
  }

  /** Has a code sent to an address. Never rejects: `view` tells. */
  async sendCode(mail: string): Promise<void> {
    await this.#byMail(null, async () => {
      const { expires_at } = await this.#api.post("/api/v1/sign-up/codes", { mail, language: this.#language() });
      this.#expiresAt = expires_at;
      this.view = { kind: "mail", sentTo: mail, working: false, failure: null };
    });
  }

  /** Shows the code that came. Never rejects: `view` tells. */
  async showCode(typed: string): Promise<void> {
    const sentTo = this.view.kind === "mail" ? this.view.sentTo : null;
    if (sentTo === null) return;
    await this.#byMail(sentTo, async () => {
      const code = typed.replace(/\s/gu, "");
      const body = { mail: sentTo, code, expires_at: this.#expiresAt };
      this.ticket = (await this.#api.post("/api/v1/sign-up/tickets", body)).ticket;
      this.#show();
    });
  }

  /** The sign-up was refused for what stands here: another ticket is needed, or it has become shut. */
  refused(failure: Failure): void {
    if (/^ticket-/u.test(failure.code)) {
      this.ticket = null;
      this.#failed = failure;
      this.#show();
    } else if (failure.code === "not-available-yet") void this.look();
  }

  async #byMail(sentTo: string | null, work: () => Promise<void>): Promise<void> {
    if (this.view.kind === "mail" && this.view.working) return;
    this.view = { kind: "mail", sentTo, working: true, failure: null };
    try {
      await work();
    } catch (error) {
      this.view = { kind: "mail", sentTo, working: false, failure: failureOf(error) };
    }
  }

  get #query() {
    return this.country === null ? {} : { query: { country: this.country } };
  }

  #show(): void {
    const failure = this.#failed;
    const opens = this.#opens;
    const mayPass = opens === null || opens.allowed || (opens.phase === "beta" && this.ticket !== null);
    if (!mayPass) this.view = { kind: "shut", opens, told: false, working: false, failure: null };
    else if (this.ticket !== null || this.#policy === "open" || this.#policy === "closed") this.view = { kind: "free" };
    else if (this.#policy === "provider") this.view = { kind: "provider", provider: this.#provider, failure };
    else if (this.#policy === "domains") this.view = { kind: "mail", sentTo: null, working: false, failure };
    else this.view = { kind: "invite", failure };
  }
}
