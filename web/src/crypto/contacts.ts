// What an account knows of others, in a form whose copies on several devices always merge to the same.
//
// Each contact is a handful of registers. A register with `at` keeps the later entry, ties by the larger encoding; the
// pin keeps the later era, then the higher rev. So a merge is commutative, associative and idempotent.

import { NAME_CHARS } from "../protocol/limits";
import { integer, nullable, optional, struct, text, truth, word, type Shaped } from "../protocol/shape";
import { larger } from "./keyring-changes";
import { pinShape, type Pin } from "./pins";

const verifiedShape = struct({ sign: nullable(text()), at: integer() });
const nameShape = struct({ value: nullable(text(NAME_CHARS)), at: integer() });
const blockedShape = struct({ value: truth, at: integer() });
const requestShape = struct({ state: word("pending", "accepted", "declined"), at: integer() });
export const contactShape = struct({
  pin: optional(pinShape),
  verified: optional(verifiedShape),
  name: optional(nameShape),
  blocked: optional(blockedShape),
  request: optional(requestShape),
});

/**
 * All that is known of one account. `verified.sign` is the signing key whose safety number was compared, null takes the
 * mark back; `name` is what the owner calls the contact; `request` is where a stranger stands.
 */
export type Contact = Shaped<typeof contactShape>;

/** Tells whether the safety number was compared for the key that is pinned now. */
export function isVerified({ pin, verified }: Contact): boolean {
  return pin !== undefined && verified?.sign === pin.sign;
}

/** Merges two copies of a contact. */
export function joinContacts(one: Contact, other: Contact): Contact {
  return inContactOrder({
    pin: either(one.pin, other.pin, laterPin),
    verified: either(one.verified, other.verified, later),
    name: either(one.name, other.name, later),
    blocked: either(one.blocked, other.blocked, later),
    request: either(one.request, other.request, later),
  });
}

/** Of two registers, the later; of two of the same time, the one whose compact JSON is larger. */
export function later<T extends { readonly at: number }>(one: T, other: T): T {
  if (one.at !== other.at) return one.at > other.at ? one : other;
  return larger(one, other);
}

/** The keys that are there, in the order of the protocol's table. */
export function inContactOrder({ pin, verified, name, blocked, request }: Possibly<Contact>): Contact {
  return {
    ...(pin && { pin }),
    ...(verified && { verified }),
    ...(name && { name }),
    ...(blocked && { blocked }),
    ...(request && { request }),
  };
}

type Possibly<T> = { readonly [K in keyof T]: T[K] | undefined };

function either<T>(one: T | undefined, other: T | undefined, join: (one: T, other: T) => T): T | undefined {
  return one === undefined || other === undefined ? (one ?? other) : join(one, other);
}

function laterPin(one: Pin, other: Pin): Pin {
  return comparePins(one, other) >= 0 ? one : other;
}

/** Orders by era, rev, record, sign, former: all base64url, so that texts order as their bytes do. */
function comparePins(one: Pin, other: Pin): number {
  const texts = (pin: Pin) => [pin.record, pin.sign, ...pin.former];
  return one.era - other.era || one.rev - other.rev || compareTexts(texts(one), texts(other));
}

function compareTexts(one: readonly string[], other: readonly string[]): number {
  for (const [index, mine] of one.entries()) {
    const theirs = other[index];
    if (theirs === undefined) return 1;
    if (mine !== theirs) return mine < theirs ? -1 : 1;
  }
  return one.length - other.length;
}
