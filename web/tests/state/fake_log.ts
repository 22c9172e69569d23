/** A log of account records in memory, as the server keeps one: whole trees, since tests have few entries. */

import { leafHash, nodeHash, rootOf, type Nodes } from "../../src/crypto/merkle";
import { sign, signingKey } from "../../src/crypto/signing";
import { entryOf } from "../../src/crypto/transparency";
import { concat, unb64, utf8 } from "../../src/protocol/encoding";
import { sha256 } from "@noble/hashes/sha2.js";

const standard = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

export class FakeLog {
  readonly #entries: Uint8Array[] = [];
  readonly #places = new Map<string, number>();
  readonly #origin: string;
  key = signingKey(new Uint8Array(32).fill(7));
  /** Records that the log leaves out. */
  readonly omitted = new Set<string>();

  constructor(serverName: string) {
    this.#origin = `${serverName}/tlog`;
  }

  /** The place of a record, which is logged when it is asked for first. */
  leafOf(acct: string, record: string): number {
    const known = this.#places.get(`${acct} ${record}`);
    if (known !== undefined || this.omitted.has(record)) return known ?? 0;
    this.#places.set(`${acct} ${record}`, this.#entries.length);
    return this.#entries.push(leafHash(entryOf(acct, unb64(record)))) - 1;
  }

  /** Begins again with nothing. */
  empty(): void {
    this.#entries.length = 0;
    this.#places.clear();
  }

  /** Begins again, with another entry at the beginning. */
  fork(): void {
    this.empty();
    this.#entries.push(leafHash(utf8("slipped in")));
  }

  async answer(path: string): Promise<Response> {
    const id = concat(Uint8Array.of(1), this.key.public);
    const keyId = sha256(concat(utf8(`${this.#origin}\n`), id)).subarray(0, 4);
    if (path === "key") {
      const hex = Array.from(keyId, (byte) => byte.toString(16).padStart(2, "0")).join("");
      return new Response(`${this.#origin}+${hex}+${standard(id)}\n`);
    }
    if (path === "checkpoint") {
      const root = await rootOf(this.#entries.length, this.#node);
      const text = `${this.#origin}\n${this.#entries.length}\n${standard(root)}\n`;
      return new Response(`${text}\n\u2014 ${this.#origin} ${standard(concat(keyId, sign(this.key, utf8(text))))}\n`);
    }
    const width = Number(/^tile\/0\/000\.p\/([0-9]+)$/u.exec(path)?.[1] ?? Number.NaN);
    if (!(width <= this.#entries.length)) return new Response(null, { status: 404 });
    return new Response(concat(...this.#entries.slice(0, width)));
  }

  readonly #node: Nodes = async (level, index) =>
    level === 0
      ? (this.#entries[index] ?? new Uint8Array())
      : nodeHash(await this.#node(level - 1, 2 * index), await this.#node(level - 1, 2 * index + 1));
}
