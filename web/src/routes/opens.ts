import type { OpensProps } from "../screens/opens/props";
import type { AvailabilityState } from "../state/availability.svelte";

/** What a screen is given of whether sending is open here. */
export function opensProps(availability: AvailabilityState, go: (path: string) => void): OpensProps {
  const { opens, working, refused, isOpened: opened } = availability;
  return {
    ...{ opens, working, refused, opened, go },
    oncountry: (code) => void availability.setCountry(code),
    oninvite: (typed) => void availability.showInvite(typed),
    ontold: (isWanted) => void availability.tellMe(isWanted),
  };
}
