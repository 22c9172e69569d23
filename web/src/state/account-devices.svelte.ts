/** The devices of an account: where it is signed in, joined with what its keyring is sealed to; and how one is removed. */

import type { AccountView } from "../crypto/service";
import type { Answer } from "../transfer/http";
import { distrust, endSession } from "./entering";
import { failureOf, type Failure } from "./failure";
import type { House } from "./house.svelte";
import { introduce } from "./this-browser";
import { refreshKeyring } from "./upkeep";
import { Verification } from "./verification.svelte";

export interface AccountDevice {
  /** Of the session, or of the device where there is none. */
  readonly id: string;
  readonly sessionId: string | null;
  /** In the keyring. */
  readonly deviceId: string | null;
  /** As its owner's keyring calls it, else as it calls itself; may be empty. */
  readonly label: string;
  /** Null: it can open the keyring, but is not signed in. */
  readonly client: "web" | "cli" | null;
  readonly since: number;
  readonly usedAt: number | null;
  readonly isHere: boolean;
}

export type DevicesState =
  | { kind: "loading" }
  | { kind: "ready"; list: readonly AccountDevice[] }
  | { kind: "failed"; failure: Failure }
  | { kind: "offline" };

type Sessions = Answer<"get", "/api/v1/sessions">["items"];

export class AccountDevices {
  state: DevicesState = $state.raw({ kind: "loading" });
  /** Which are being removed; all that are meant stand in it. */
  removing: ReadonlySet<string> = $state.raw(new Set());
  readonly #house: House;

  constructor(house: House) {
    this.#house = house;
  }

  /** Never rejects: `state` tells. */
  async look(): Promise<void> {
    await this.#telling(() => this.#look());
  }

  /** Signs one out, and takes it out of the keyring. Never rejects. */
  async remove(id: string): Promise<void> {
    await this.#remove([id], async (device) => {
      if (device?.sessionId) await endSession(this.#house.api, device.sessionId);
      if (device?.deviceId) await distrust(this.#house, [device.deviceId]);
    });
  }

  /** Every device but this one. Never rejects. */
  async removeOthers(): Promise<void> {
    const others = this.#list().filter((device) => !device.isHere);
    await this.#remove(
      others.map(({ id }) => id),
      async () => {
        await endSession(this.#house.api, "others");
        await distrust(this.#house, others.flatMap(({ deviceId }) => deviceId ?? [])); // prettier-ignore
      },
    );
  }

  close(): void {
    this.removing = new Set();
  }

  #list(): readonly AccountDevice[] {
    return this.state.kind === "ready" ? this.state.list : [];
  }

  /** The session first: a device in hostile hands could put itself into the keyring anew as long as it is let in. */
  async #remove(ids: readonly string[], work: (first: AccountDevice | undefined) => Promise<void>): Promise<void> {
    if (this.removing.size > 0) return;
    this.removing = new Set(ids);
    const first = this.#list().find(({ id }) => id === ids[0]);
    await this.#telling(async () => {
      await this.#house.part(Verification).run(() => work(first));
      await this.#look();
    });
    this.removing = new Set();
  }

  async #look(): Promise<void> {
    const { api, crypto, memory } = this.#house;
    await refreshKeyring(this.#house);
    let { items } = await api.get("/api/v1/sessions");
    if (items.some(({ current, device }) => current && (device ?? null) !== memory.deviceId)) {
      await introduce(api, memory.deviceId); // its sign-in did not come so far
      ({ items } = await api.get("/api/v1/sessions"));
    }
    this.state = { kind: "ready", list: joined(items, await crypto.account(), memory.deviceId) };
  }

  async #telling(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const failure = failureOf(error);
      if (failure.code === "closed") return; // the person thought better of it
      this.state = failure.code === "offline" ? { kind: "offline" } : { kind: "failed", failure };
    }
  }
}

/** The place used last first; then devices that only open the keyring. */
export function joined(
  sessions: Sessions,
  { devices }: Pick<AccountView, "devices">,
  here: string | null,
): AccountDevice[] {
  const known = new Map(devices.map((device) => [device.did, device]));
  const signedIn = sessions.map((session): AccountDevice => {
    const device = known.get(session.device ?? "");
    return {
      id: session.id,
      sessionId: session.id,
      deviceId: device?.did ?? null,
      label: device?.label ?? session.label ?? "",
      client: session.client,
      since: session.created_at,
      usedAt: session.last_seen_at,
      isHere: session.current,
    };
  });
  const seen = new Set(signedIn.map(({ deviceId }) => deviceId));
  const others = devices
    .filter(({ did }) => !seen.has(did))
    .map((device): AccountDevice => {
      const { did, label, created } = device;
      const nowhere = { sessionId: null, client: null, usedAt: null };
      return { id: did, deviceId: did, label, since: created, isHere: did === here, ...nowhere };
    });
  return [...signedIn, ...others];
}
