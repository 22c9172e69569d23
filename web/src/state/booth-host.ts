/** For whom a booth records: whoever is signed in, or somebody without an account. */

import type { DraftCall } from "../storage/drafts";
import type { Take } from "../take/take";
import { type Answer, DraftsState } from "./drafts.svelte";
import type { House } from "./house.svelte";

export interface BoothHost {
  /** Under which takes lie on this device. */
  readonly acct: string;
  /** In the names of files. */
  readonly name: string;
  readonly choices: { readonly countdown: boolean; readonly beep: boolean };
  readonly isOffline: boolean;
  /** By whose leave a take goes up, without an account. */
  readonly call?: DraftCall;
  /** A take has begun. */
  adopt(take: Take): void;
  /** Gives a take up that another one has replaced. */
  drop(id: string): void;
  /** There may be another take. */
  refresh(): void;
}

/** @param answer for whom takes are begun, and what they answer. */
export function hostOf(house: House, answer: Answer | null): BoothHost {
  const drafts = house.part(DraftsState);
  return {
    acct: house.account.acct,
    name: house.account.name,
    get choices() {
      return house.settings.choices;
    },
    get isOffline() {
      return house.live.isOffline;
    },
    adopt: (take) => drafts.adopt(take, answer),
    drop: (id) => drafts.delete(id),
    refresh: () => void drafts.refresh(),
  };
}
