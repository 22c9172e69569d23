import { mount, type Component } from "svelte";

/** One screen in one state, ready to be put into the page. */
export type Exhibit = (target: HTMLElement) => void;

export function exhibit<P extends object>(component: Component<P>, props: P): Exhibit {
  return (target) => {
    mount(component, { target, props });
  };
}

/** For callbacks: the gallery shows, and does nothing. */
export const nothing = (): void => undefined;
