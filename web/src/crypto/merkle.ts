// The Merkle tree of RFC 6962: roots and proofs, out of the hashes of complete subtrees (docs/protocol/transparency.md).

import { sha256 } from "@noble/hashes/sha2.js";
import { concat, equalBytes } from "../protocol/encoding";

export const HASH_BYTES = 32;
export const EMPTY_ROOT = sha256(new Uint8Array(0));

/** The hash of the complete subtree over the leaves `index·2^level` to `(index + 1)·2^level`. */
export type Nodes = (level: number, index: number) => Promise<Uint8Array>;

export function leafHash(entry: Uint8Array): Uint8Array {
  return sha256(concat(Uint8Array.of(0), entry));
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(concat(Uint8Array.of(1), left, right));
}

/** The root of the tree of the first `size` leaves. */
export async function rootOf(size: number, nodes: Nodes): Promise<Uint8Array> {
  return size === 0 ? EMPTY_ROOT : rangeHash(0, size, nodes);
}

/** The audit path of a leaf (RFC 6962 section 2.1.1), from the leaf up. */
export async function inclusionProof(index: number, size: number, nodes: Nodes): Promise<Uint8Array[]> {
  const proof: Uint8Array[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + split(end - start);
    if (index < middle) {
      proof.unshift(await rangeHash(middle, end, nodes));
      end = middle;
    } else {
      proof.unshift(await rangeHash(start, middle, nodes));
      start = middle;
    }
  }
  return proof;
}

/** The proof that the tree of `old` leaves, one at least, is the beginning of that of `size` (section 2.1.2). */
export async function consistencyProof(old: number, size: number, nodes: Nodes): Promise<Uint8Array[]> {
  const proof: Uint8Array[] = [];
  let [start, end] = [0, size];
  while (old !== end) {
    const middle = start + split(end - start);
    if (old <= middle) {
      proof.unshift(await rangeHash(middle, end, nodes));
      end = middle;
    } else {
      proof.unshift(await rangeHash(start, middle, nodes));
      start = middle;
    }
  }
  if (start > 0) proof.unshift(await rangeHash(start, end, nodes));
  return proof;
}

/** Tells whether the audit path leads from the leaf to the root (RFC 9162 section 2.1.3.2). */
export function isIncluded(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!(index >= 0 && index < size)) return false;
  let [at, last, found] = [index, size - 1, leaf];
  for (const step of proof) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      found = nodeHash(step, found);
      [at, last] = pastMissing(at, last);
    } else {
      found = nodeHash(found, step);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && equalBytes(found, root);
}

export interface Trees {
  readonly old: { readonly size: number; readonly root: Uint8Array };
  readonly next: { readonly size: number; readonly root: Uint8Array };
}

/** Tells whether the proof connects the two roots (RFC 9162 section 2.1.4.2); everything follows an empty tree. */
export function isContinuation({ old, next }: Trees, proof: readonly Uint8Array[]): boolean {
  if (old.size === 0) return proof.length === 0 && equalBytes(old.root, EMPTY_ROOT);
  if (old.size === next.size) return proof.length === 0 && equalBytes(old.root, next.root);
  if (old.size > next.size) return false;
  const [first, ...steps] = isPower(old.size) ? [old.root, ...proof] : proof;
  if (!first) return false;
  let [at, last] = [old.size - 1, next.size - 1];
  while (at % 2 === 1) [at, last] = [half(at), half(last)];
  let [before, after] = [first, first];
  for (const step of steps) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      [before, after] = [nodeHash(step, before), nodeHash(step, after)];
      [at, last] = pastMissing(at, last);
    } else {
      after = nodeHash(after, step);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && equalBytes(before, old.root) && equalBytes(after, next.root);
}

/** Skips the levels at which the rightmost node has no neighbour. */
function pastMissing(at: number, last: number): [number, number] {
  let [one, other] = [at, last];
  while (one > 0 && one % 2 === 0) [one, other] = [half(one), half(other)];
  return [one, other];
}

/** Sizes may be beyond 32 bits, where shifts would lie. */
function half(value: number): number {
  return Math.floor(value / 2);
}

function isPower(value: number): boolean {
  return split(value + 1) === value;
}

/** The largest power of two below the count, which is 2 at least. */
function split(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

/** Hashes the leaves of a range as RFC 6962's MTH; it begins where a subtree of its size may begin. */
async function rangeHash(start: number, end: number, nodes: Nodes): Promise<Uint8Array> {
  const count = end - start;
  if (count === 1 || isPower(count)) return nodes(Math.log2(count), start / count);
  const middle = start + split(count);
  return nodeHash(await rangeHash(start, middle, nodes), await rangeHash(middle, end, nodes));
}
