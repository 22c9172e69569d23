// Tiles: the tree in files of up to 256 hashes (https://c2sp.org/tlog-tiles), and nodes read from them.

import { ProtocolError } from "../protocol/errors";
import { HASH_BYTES, nodeHash, type Nodes } from "./merkle";

const WIDTH = 256;
const HEIGHT = 8;

/** Brings a file of the log by its path below it. */
export type Fetch = (path: string) => Promise<Uint8Array>;

/** Where a tile of level 8·`level` is served. */
export function tilePath(level: number, index: number, width: number): string {
  let path = String(index % 1000).padStart(3, "0");
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    path = `x${String(rest % 1000).padStart(3, "0")}/${path}`;
  }
  return `tile/${level}/${path}${width < WIDTH ? `.p/${width}` : ""}`;
}

/** Gives the nodes of a tree of `size` leaves from tiles, each fetched once. They are as true as the proofs made of them. */
export function tileNodes(size: number, fetch: Fetch): Nodes {
  const tiles = new Map<string, Promise<Uint8Array>>();
  const inner = new Map<string, Promise<Uint8Array>>();
  const tile = (level: number, index: number): Promise<Uint8Array> => {
    const width = Math.min(WIDTH, Math.floor(size / WIDTH ** level) - index * WIDTH);
    return once(tiles, tilePath(level, index, width), async (path) => {
      const data = await fetch(path);
      if (data.length !== width * HASH_BYTES) throw new ProtocolError("log-malformed", "a tile");
      return data;
    });
  };
  const node: Nodes = async (level, index) => {
    if (level % HEIGHT === 0) {
      const begin = (index % WIDTH) * HASH_BYTES;
      return (await tile(level / HEIGHT, Math.floor(index / WIDTH))).subarray(begin, begin + HASH_BYTES);
    }
    return once(inner, `${level}/${index}`, async () =>
      nodeHash(await node(level - 1, 2 * index), await node(level - 1, 2 * index + 1)),
    );
  };
  return node;
}

function once<T>(made: Map<string, Promise<T>>, key: string, make: (key: string) => Promise<T>): Promise<T> {
  const known = made.get(key);
  if (known) return known;
  const fresh = make(key);
  made.set(key, fresh);
  return fresh;
}
