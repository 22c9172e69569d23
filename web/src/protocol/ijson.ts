// Strict JSON (I-JSON, RFC 7493): what every implementation reads alike, or nothing.
//
// Refused: duplicate keys, NaN and infinities, integers beyond 2^53 - 1, lone surrogates, U+0000, nesting
// deeper than 32, a byte order mark, anything that is not UTF-8. `JSON.parse` sees none of the first.

import { utf8 } from "./encoding";
import { JSON_DEPTH, JSON_INT } from "./limits";

/** A number that was written with fraction or exponent: never taken for an integer. */
export class Fraction {
  constructor(readonly value: number) {}
}

export type Json = null | boolean | number | Fraction | string | readonly Json[] | JsonObject;
/** Without a prototype, so that `__proto__` is a plain key. */
export interface JsonObject {
  readonly [key: string]: Json;
}

/** The bytes are not I-JSON, or not of the expected shape; the text says why, without the content. */
export class BadJson extends Error {
  override readonly name = "BadJson";
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
// eslint-disable-next-line no-control-regex -- control characters are what may not stand here
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SPACE = /[ \t\n\r]*/y;

/** Parses bytes. @throws BadJson */
export function parse(bytes: Uint8Array): Json {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new BadJson("not UTF-8");
  }
  return new Parser(text).whole();
}

/** Writes compact UTF-8 JSON; keys keep their order, `undefined` is left out. */
export function write(value: unknown): Uint8Array<ArrayBuffer> {
  return utf8(JSON.stringify(value));
}

class Parser {
  private at = 0;

  constructor(private readonly text: string) {}

  whole(): Json {
    const value = this.value(0);
    this.skipSpace();
    if (this.at !== this.text.length) throw new BadJson("something follows the value");
    return value;
  }

  private value(depth: number): Json {
    this.skipSpace();
    switch (this.text[this.at]) {
      case "{":
        return this.object(depth + 1);
      case "[":
        return this.array(depth + 1);
      case '"':
        return this.string();
      case "t":
        return this.word("true", true);
      case "f":
        return this.word("false", false);
      case "n":
        return this.word("null", null);
      default:
        return this.number();
    }
  }

  private object(depth: number): JsonObject {
    const entries = Object.create(null) as Record<string, Json>;
    this.list(depth, "}", () => {
      this.skipSpace();
      const key = this.string();
      if (Object.hasOwn(entries, key)) throw new BadJson("a key stands twice in one object");
      this.skipSpace();
      if (this.text[this.at++] !== ":") throw new BadJson("a colon is missing");
      entries[key] = this.value(depth);
    });
    return entries;
  }

  private array(depth: number): Json[] {
    const items: Json[] = [];
    this.list(depth, "]", () => items.push(this.value(depth)));
    return items;
  }

  private list(depth: number, end: string, item: () => void): void {
    if (depth > JSON_DEPTH) throw new BadJson(`nested deeper than ${JSON_DEPTH}`);
    this.at++;
    this.skipSpace();
    if (this.text[this.at] === end) {
      this.at++;
      return;
    }
    for (;;) {
      item();
      this.skipSpace();
      const next = this.text[this.at++];
      if (next === end) return;
      if (next !== ",") throw new BadJson("a comma or the end of a list is missing");
    }
  }

  private string(): string {
    const raw = this.match(STRING, "not a string");
    const text = JSON.parse(raw) as string;
    if (text.includes("\0") || !isWellFormed(text)) throw new BadJson("a lone surrogate or U+0000 in a string");
    return text;
  }

  private number(): number | Fraction {
    const raw = this.match(NUMBER, "not a value");
    const value = Number(raw);
    if (/[.eE]/.test(raw)) {
      if (!Number.isFinite(value)) throw new BadJson("a number too large");
      return new Fraction(value);
    }
    if (raw.length > 17 || Math.abs(value) > JSON_INT) throw new BadJson("an integer beyond 2^53 - 1");
    return value + 0;
  }

  private word<T extends Json>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) throw new BadJson("not a value");
    this.at += word.length;
    return value;
  }

  private match(pattern: RegExp, otherwise: string): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) throw new BadJson(otherwise);
    this.at += found.length;
    return found;
  }

  private skipSpace(): void {
    this.match(SPACE, "");
  }
}

function isWellFormed(text: string): boolean {
  return !/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text);
}
