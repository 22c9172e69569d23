/** Where sending is open, and where it is not. */

import type { Opens, OpensProps } from "../screens/opens/props";
import { nothing } from "./exhibit";

export const OPEN_HERE: Opens = {
  allowed: true,
  platform: "windows",
  phase: "open",
  by_country: true,
  country: "GB",
  country_from: "proxy",
  blocked_by: null,
  opens_at: null,
  text: {},
  waiting: false,
  mail_possible: true,
};
export const SHUT_HERE: Opens = {
  ...OPEN_HERE,
  allowed: false,
  phase: "planned",
  country_from: "declared",
  blocked_by: "platform",
  opens_at: 1_806_537_600_000,
};

export const opens = (told: Opens | null, more: Partial<OpensProps> = {}): OpensProps => ({
  opens: told,
  ...{ working: null, refused: null, opened: false },
  ...{ go: nothing, oncountry: nothing, oninvite: nothing, ontold: nothing },
  ...more,
});
