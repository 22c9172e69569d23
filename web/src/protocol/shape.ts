// Shapes: from parsed JSON to typed values, or BadJson with the path at fault. Unknown keys are ignored.

import { BadJson, Fraction, type Json, type JsonObject } from "./ijson";
import { JSON_INT } from "./limits";

/** Reads a value found at a path such as `to.acct`. */
export type Shape<T> = (value: Json, path: string) => T;
export type Shaped<S> = S extends Shape<infer T> ? T : never;

interface Optional<T> {
  readonly optional: Shape<T>;
}
type Fields = Readonly<Record<string, Shape<unknown> | Optional<unknown>>>;
type Required<F> = { readonly [K in keyof F as F[K] extends Optional<unknown> ? never : K]: Shaped<F[K]> };
type Possible<F> = {
  readonly [K in keyof F as F[K] extends Optional<unknown> ? K : never]?: F[K] extends Optional<infer T> ? T : never;
};
/** What a `struct` of these fields reads. */
export type Struct<F> = Required<F> & Possible<F>;

/** A field that may be absent; `null` is absent. */
export function optional<T>(shape: Shape<T>): Optional<T> {
  return { optional: shape };
}

/** Reads an integer of a range. */
export function integer(least = 0, most: number = JSON_INT): Shape<number> {
  return (value, path) => {
    if (typeof value !== "number" || value < least || value > most) throw new BadJson(`${path}: not such an integer`);
    return value;
  };
}

/** Reads text of at most so many characters (code points). */
export function text(most = Infinity): Shape<string> {
  return (value, path) => {
    if (typeof value !== "string") throw new BadJson(`${path}: not text`);
    if (value.length > most && [...value].length > most) throw new BadJson(`${path}: too long`);
    return value;
  };
}

export const truth: Shape<boolean> = (value, path) => {
  if (typeof value !== "boolean") throw new BadJson(`${path}: not true or false`);
  return value;
};

/** Reads one of these words. */
export function word<const W extends string>(...words: readonly W[]): Shape<W> {
  return (value, path) => {
    const found = words.find((word) => word === value);
    if (found === undefined) throw new BadJson(`${path}: not one of the words`);
    return found;
  };
}

export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return (value, path) => (value === null ? null : shape(value, path));
}

/** Reads an array with so many items. */
export function list<T>(shape: Shape<T>, { least = 0, most = Infinity } = {}): Shape<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value) || value.length < least || value.length > most)
      throw new BadJson(`${path}: not such a list`);
    return (value as readonly Json[]).map((item, index) => shape(item, `${path}[${index}]`));
  };
}

/** Reads an object whose keys are data, into a map. */
export function dictionary<T>(shape: Shape<T>, { most = Infinity } = {}): Shape<ReadonlyMap<string, T>> {
  return (value, path) => {
    const entries = Object.entries(object(value, path));
    if (entries.length > most) throw new BadJson(`${path}: too many entries`);
    return new Map(entries.map(([key, item]) => [key, shape(item, `${path}[…]`)]));
  };
}

/** Reads an object with these keys; the result has them in this order. */
export function struct<F extends Fields>(fields: F): Shape<Struct<F>> {
  return (value, path) => {
    const found = object(value, path);
    const result: Record<string, unknown> = {};
    for (const [key, field] of Object.entries(fields)) {
      const item = found[key];
      if (typeof field === "function") {
        if (item === undefined) throw new BadJson(`${path}.${key}: missing`);
        result[key] = field(item, `${path}.${key}`);
      } else if (item !== undefined && item !== null) {
        result[key] = field.optional(item, `${path}.${key}`);
      }
    }
    return result as Struct<F>;
  };
}

/** Reads any JSON object. */
export const object: Shape<JsonObject> = (value, path) => {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Fraction) {
    throw new BadJson(`${path}: not an object`);
  }
  return value as JsonObject;
};
