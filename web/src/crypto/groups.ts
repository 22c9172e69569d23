// The shard `groups`: named lists of people, known to nobody but their owner, whose copies on several devices merge to the
// same. A name and each membership are registers; a group whose name is null was given up.

import { isId } from "../protocol/ids";
import { NAME_CHARS } from "../protocol/limits";
import { isAcct } from "../protocol/names";
import { dictionary, integer, nullable, optional, struct, text, truth, type Shaped } from "../protocol/shape";
import { later } from "./contacts";

const nameShape = struct({ value: nullable(text(NAME_CHARS)), at: integer() });
const memberShape = struct({ value: truth, at: integer() });
const groupShape = struct({ name: nameShape, members: optional(dictionary(memberShape)) });
export const groupsShape = struct({ shard: text(), rev: integer(), groups: dictionary(groupShape) });

/** One list: what its owner calls it, and by acct whether somebody is in it. */
export type Group = Shaped<typeof groupShape>;
/** The shard: groups by their id. */
export type Groups = Shaped<typeof groupsShape>;
type Members = NonNullable<Group["members"]>;

const NOBODY: Members = new Map();

export function noGroups(): Groups {
  return { shard: "groups", rev: 0, groups: new Map() };
}

/** As its owner sees it. */
export interface NamedGroup {
  readonly id: string;
  readonly name: string;
  /** Acct of each, in their order. */
  readonly members: readonly string[];
}

/** Those that were not given up. */
export function namedGroups({ groups }: Groups): NamedGroup[] {
  return [...groups].flatMap(([id, group]) => {
    const { value: name } = group.name;
    return name === null ? [] : [{ id, name, members: membersOf(group) }];
  });
}

/** Who is in it, in the order of their accts. */
export function membersOf({ members = NOBODY }: Group): string[] {
  return [...members]
    .filter(([, { value }]) => value)
    .map(([acct]) => acct)
    .sort();
}

/** Merges two copies of a group: the later word on its name and on each membership. */
export function joinGroups(one: Group, other: Group): Group {
  return { name: later(one.name, other.name), members: joinMembers(one.members ?? NOBODY, other.members ?? NOBODY) };
}

function joinMembers(one: Members, other: Members): Members {
  const joined = new Map(one);
  for (const [acct, theirs] of other) {
    const mine = one.get(acct);
    joined.set(acct, mine === undefined ? theirs : later(mine, theirs));
  }
  return new Map([...joined].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Refuses foreign names. */
export function isRightGroups({ groups }: Groups): boolean {
  return [...groups].every(([id, { members = NOBODY }]) => isId(id, "grp") && [...members.keys()].every(isAcct));
}
