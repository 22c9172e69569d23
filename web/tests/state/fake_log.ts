/** A log of account records in memory, as the server keeps one: whole trees, since tests have few entries. */

import { leafHash, nodeHash, rootOf, type Nodes } from "../../src/crypto/merkle";
import { sign, signingKey } from "../../src/crypto/signing";
import { entryOf } from "../../src/crypto/transparency";
import { concat, unb64, utf8 } from "../../src/protocol/encoding";
import { sha256 } from "@noble/hashes/sha2.js";

const standard = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

const keyId = (name: string, kind: number, key: Uint8Array): Uint8Array =>
  sha256(concat(utf8(`${name}\n`), Uint8Array.of(kind), key)).subarray(0, 4);
const line = (name: string, ...signed: Uint8Array[]): string => `\u2014 ${name} ${standard(concat(...signed))}\n`;

function keyText(name: string, kind: number, key: Uint8Array): string {
  const hex = Array.from(keyId(name, kind, key), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${name}+${hex}+${standard(concat(Uint8Array.of(kind), key))}`;
}

export class FakeLog {
  readonly #entries: Uint8Array[] = [];
  readonly #places = new Map<string, number>();
  readonly #origin: string;
  key = signingKey(new Uint8Array(32).fill(7));
  readonly witness = { name: "witness.example", key: signingKey(new Uint8Array(32).fill(9)), isThere: false };
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

  get witnessKey(): string {
    return keyText(this.witness.name, 4, this.witness.key.public);
  }

  #cosigned(text: string): string {
    const { name, key } = this.witness;
    const time = Uint8Array.of(0, 0, 0, 0, 0x6b, 0x49, 0xd2, 0);
    const signed = sign(key, utf8(`cosignature/v1\ntime ${0x6b49d200}\n${text}`));
    return line(name, keyId(name, 4, key.public), time, signed);
  }

  async answer(path: string): Promise<Response> {
    if (path === "key") return new Response(`${keyText(this.#origin, 1, this.key.public)}\n`);
    if (path === "witnesses") return new Response(`${this.witnessKey}\n`);
    if (path === "checkpoint") {
      const root = await rootOf(this.#entries.length, this.#node);
      const text = `${this.#origin}\n${this.#entries.length}\n${standard(root)}\n`;
      const own = line(this.#origin, keyId(this.#origin, 1, this.key.public), sign(this.key, utf8(text)));
      return new Response(`${text}\n${own}${this.witness.isThere ? this.#cosigned(text) : ""}`);
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
