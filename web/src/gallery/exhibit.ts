import { mount, unmount, type Component } from "svelte";

/** Puts one screen in one state into the page; what it returns takes it out again. */
export type Exhibit = (target: HTMLElement) => Promise<() => Promise<void>>;

export function exhibit<P extends object>(component: Component<P>, props: P): Exhibit {
  return (target) => {
    const shown = mount(component, { target, props });
    return Promise.resolve(() => unmount(shown));
  };
}

/** For callbacks: the gallery shows, and does nothing. */
export const nothing = (): void => undefined;
