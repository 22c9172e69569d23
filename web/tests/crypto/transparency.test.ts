// protocol/vectors/log.json: what a client says of logs that continue, fork, shrink, or leave a record out.

import { expect, test } from "vitest";
import {
  consistencyProof,
  inclusionProof,
  isContinuation,
  isIncluded,
  leafHash,
  nodeHash,
  rootOf,
  type Nodes,
} from "../../src/crypto/merkle";
import { tilePath } from "../../src/crypto/tiles";
import { checkLogged, followLog, openKept } from "../../src/crypto/transparency";
import { unb64, utf8 } from "../../src/protocol/encoding";
import { outcome, values } from "../protocol/vectors";

interface Step {
  seen: string | null;
  shown: string;
  key: string;
  tiles: string;
  expect: string;
  witnesses: string[];
}
interface Claim {
  checkpoint: string;
  tiles: string;
  leaf: number;
  acct: string;
  record: string;
  expect: string;
}
interface Log {
  origin: string;
  keys: Record<string, string>;
  witnesses: Record<string, string>;
  notes: Record<string, string>;
  tiles: Record<string, Record<string, string>>;
  following: Step[];
  records: Claim[];
}

const log = (await values("log.json")) as Log;

function known<T>(from: Record<string, T>, name: string): T {
  const found = from[name];
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

const kept = (name: string) => ({ key: known(log.keys, "own"), note: known(log.notes, name) });
const fetchOf =
  (tiles: string, key = "", note = "") =>
  (path: string) => {
    if (path === "key") return Promise.resolve(utf8(`${known(log.keys, key)}\n`));
    if (path === "checkpoint") return Promise.resolve(utf8(known(log.notes, note)));
    return Promise.resolve(unb64(known(known(log.tiles, tiles), path)));
  };
const expected = (text: string): string | null => (text === "success" ? null : text);

test.each(log.following)("$seen, then $shown: $expect", async (step) => {
  const witnesses = step.witnesses.map((name) => known(log.witnesses, name));
  const seen = step.seen === null ? null : { ...kept(step.seen), witnesses };
  const { code } = await outcome(() => followLog(seen, log.origin, fetchOf(step.tiles, step.key, step.shown)));
  expect(code).toBe(expected(step.expect));
});

test.each(log.records)("entry $leaf of $checkpoint: $expect", async (claim) => {
  const { code } = await outcome(() =>
    checkLogged(
      openKept(kept(claim.checkpoint)),
      [{ acct: claim.acct, record: unb64(claim.record), leaf: claim.leaf }],
      fetchOf(claim.tiles),
    ),
  );
  expect(code).toBe(expected(claim.expect));
});

test.each([
  [0, 0, 256, "tile/0/000"],
  [1, 0, 5, "tile/1/000.p/5"],
  [0, 1_234_067, 256, "tile/0/x001/x234/067"],
  [2, 1000, 255, "tile/2/x001/000.p/255"],
])("the tile of level %i, index %i, width %i", (level, index, width, path) => {
  expect(tilePath(level, index, width)).toBe(path);
});

const leaves = Array.from({ length: 130 }, (_, number) => leafHash(utf8(String(number))));
const made = new Map<string, Uint8Array>();
const nodes: Nodes = async (level, index) => {
  if (level === 0) return leaves[index] ?? new Uint8Array();
  const key = `${level}/${index}`;
  const node = made.get(key) ?? nodeHash(await nodes(level - 1, 2 * index), await nodes(level - 1, 2 * index + 1));
  made.set(key, node);
  return node;
};

test("every leaf and every earlier tree of trees up to 130 is proved, and nothing else", async () => {
  for (let size = 1; size <= leaves.length; size += size < 40 ? 1 : 13) {
    const root = await rootOf(size, nodes);
    for (let at = 0; at < size; at += 1) {
      const leaf = leaves[at] ?? new Uint8Array();
      const path = await inclusionProof(at, size, nodes);
      expect(isIncluded(leaf, at, size, path, root)).toBe(true);
      expect(isIncluded(leafHash(utf8("another")), at, size, path, root)).toBe(false);
      expect(isIncluded(leaf, at + 1, size, path, root)).toBe(false);
      const trees = { old: { size: at + 1, root: await rootOf(at + 1, nodes) }, next: { size, root } };
      const proof = await consistencyProof(at + 1, size, nodes);
      expect(isContinuation(trees, proof)).toBe(true);
      expect(isContinuation({ ...trees, old: { size: at + 1, root: leafHash(root) } }, proof)).toBe(false);
      expect(isContinuation(trees, [...proof, root])).toBe(false);
    }
  }
});
