/** The guest links of one message: made, shown once, counted, taken back. */

import { listLinks, makeLink, revokeLink, type OwnLink } from "../transfer/links";
import { fetchEnvelope } from "./envelope";
import { failureOf, type Failure } from "./failure";
import { guestAddress } from "./guest-link";
import type { House } from "./house.svelte";

export interface LinkWish {
  /** From now on; null: as long as the message. */
  readonly days: number | null;
  readonly mostOpens: number | null;
  /** Empty: none. */
  readonly password: string;
  readonly maySave: boolean;
  readonly mayAnswer: boolean;
}

const DAY_MS = 86_400_000;

export class MessageLinks {
  /** Null until they were read. */
  all: readonly OwnLink[] | null = $state.raw(null);
  /** The one just made: its secret is nowhere else. */
  made: { id: string; address: string } | null = $state.raw(null);
  isMaking = $state(false);
  failure: Failure | null = $state.raw(null);
  readonly #house: House;
  readonly #message: string;

  constructor(house: House, message: string) {
    this.#house = house;
    this.#message = message;
    void this.read();
  }

  /** Never rejects: `failure` tells. */
  async read(): Promise<void> {
    await this.#try(async () => {
      this.all = (await listLinks(this.#house.api)).filter(({ message }) => message === this.#message);
    });
  }

  async make({ days, mostOpens, password, maySave, mayAnswer }: LinkWish): Promise<void> {
    if (this.isMaking) return;
    this.isMaking = true;
    await this.#try(async () => {
      const { api, crypto } = this.#house;
      const {
        secret,
        bearerSha256: bearer_sha256,
        envelope,
      } = await crypto.makeLink(
        await fetchEnvelope(api, this.#message, "sent"),
        password === "" ? null : password,
        Date.now(),
      );
      const expires_at = days === null ? null : Date.now() + days * DAY_MS;
      const terms = { expires_at, most_opens: mostOpens, may_save: maySave, may_answer: mayAnswer };
      const { id } = await makeLink(api, this.#message, { bearer_sha256, envelope, ...terms });
      this.made = { id, address: guestAddress(location.origin, id, secret) };
      await this.read();
    });
    this.isMaking = false;
  }

  async revoke(id: string): Promise<void> {
    await this.#try(async () => {
      await revokeLink(this.#house.api, id);
      if (this.made?.id === id) this.made = null;
      await this.read();
    });
  }

  async #try(work: () => Promise<void>): Promise<void> {
    this.failure = null;
    try {
      await work();
    } catch (error) {
      if (!this.#house.signal.aborted) this.failure = failureOf(error);
    }
  }
}
