/** The time of day, for words such as "today": near enough by half a minute. */

import { onDestroy } from "svelte";

const TICK_MS = 30_000;

/** Belongs to the component that asks for it. */
export function useClock(): { readonly now: number } {
  let now = $state(Date.now());
  const timer = setInterval(() => (now = Date.now()), TICK_MS);
  onDestroy(() => clearInterval(timer));
  return {
    get now() {
      return now;
    },
  };
}
