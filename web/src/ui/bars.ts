import type { IconName } from "./icons";

/** A link in the bar above or below. `onclick` may take the navigation over; the address stays a real one. */
export interface BarLink {
  href: string;
  word: string;
  icon?: IconName;
  current?: boolean;
  /** How many wait there; shown only above zero. */
  count?: number;
  /** The same for readers: `3 waiting`. */
  counted?: string;
  onclick?: (event: MouseEvent) => void;
}
