/** How somebody proves to have a recovery code on paper: two of its groups are asked for. */

import { isSameGroup, recoveryGroups } from "../crypto/recovery";

export interface CodeShown {
  groups: readonly string[];
  check: string;
}

/** Which groups are asked for, counted from 1; `wrong`: the one that was not right, and how it `begins`. */
export interface GroupsAsked {
  asked: readonly [number, number];
  wrong: number | null;
  begins: string;
}

const SHOWN_OF_GROUP = 2;

export function shownCode(code: string): CodeShown {
  const groups = recoveryGroups(code);
  return { groups: groups.slice(0, -1), check: groups.at(-1) ?? "" };
}

/** Draws two groups; the check symbol is not asked for. */
export function askGroups(code: string, draw: (below: number) => number = drawn): GroupsAsked {
  const count = recoveryGroups(code).length - 1;
  const first = draw(count);
  const second = (first + 1 + draw(count - 1)) % count;
  return { asked: [Math.min(first, second) + 1, Math.max(first, second) + 1], wrong: null, begins: "" };
}

export function checkGroups(code: string, { asked }: GroupsAsked, typed: readonly [string, string]): GroupsAsked {
  const groups = recoveryGroups(code);
  const wrong = asked.find((group, at) => !isSameGroup(typed[at] ?? "", groups[group - 1] ?? "")) ?? null;
  const begins = wrong === null ? "" : (groups[wrong - 1] ?? "").slice(0, SHOWN_OF_GROUP);
  return { asked, wrong, begins };
}

function drawn(below: number): number {
  return (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) % below;
}
