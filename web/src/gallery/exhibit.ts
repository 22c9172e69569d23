import { mount, tick, unmount, type Component } from "svelte";
import type { IconName } from "../ui/icons";

/** Puts one screen in one state into the page; what it returns takes it out again. */
export type Exhibit = (target: HTMLElement) => Promise<() => Promise<void>>;

export function exhibit<P extends object>(component: Component<P>, props: P): Exhibit {
  return (target) => {
    const shown = mount(component, { target, props });
    return Promise.resolve(() => unmount(shown));
  };
}

/** A state that a screen comes to by itself, once something in it was done. */
export function after(exhibit: Exhibit, act: (target: HTMLElement) => void): Exhibit {
  return async (target) => {
    const leave = await exhibit(target);
    await tick();
    act(target);
    await tick();
    return leave;
  };
}

/** Presses the button with that icon. */
export const press =
  (icon: IconName) =>
  (target: HTMLElement): void =>
    target.querySelector<HTMLElement>(`main button:has(use[href="#i-${icon}"])`)?.click();

/** For callbacks: the gallery shows, and does nothing. */
export const nothing = (): void => undefined;
