// Reads protocol/vectors/: `key: value` lines, an empty line, the bytes. In Node and in a browser alike, so by data URLs.

import { ProtocolError } from "../../src/protocol/errors";

type Files = Record<string, () => Promise<string>>;
const FILES = import.meta.glob("../../../protocol/vectors/{*/*,*.json}", {
  query: "?url&inline",
  import: "default",
}) as Files;
const CCTV = import.meta.glob("../../../protocol/vectors/cctv/testdata/*", {
  query: "?url&inline",
  import: "default",
}) as Files;
const FOLDER = "../../../protocol/vectors/";

export class Vector {
  constructor(
    readonly name: string,
    private readonly lines: readonly (readonly [string, string])[],
    readonly body: Uint8Array<ArrayBuffer>,
  ) {}

  texts(key: string): string[] {
    return this.lines.filter(([name]) => name === key).map(([, value]) => value);
  }

  maybe(key: string): string | undefined {
    return this.texts(key)[0];
  }

  text(key: string): string {
    const value = this.maybe(key);
    if (value === undefined) throw new Error(`${this.name} has no ${key}`);
    return value;
  }

  number(key: string): number {
    return Number(this.text(key));
  }

  json<T>(key: string): T | null {
    const value = this.maybe(key);
    return value === undefined ? null : (JSON.parse(value) as T);
  }

  /** The code that must come, or null. */
  get refusal(): string | null {
    const expected = this.text("expect");
    return expected === "success" ? null : expected;
  }
}

/** All vectors of a folder; `*.age` there are what they edit. */
export async function family(name: string): Promise<Vector[]> {
  const paths = Object.keys(FILES).filter((path) => path.startsWith(`${FOLDER}${name}/`) && !path.endsWith(".age"));
  if (paths.length === 0) throw new Error(`no vectors in ${name}`);
  return Promise.all(paths.map(async (path) => read(path, await content(FILES, path))));
}

export async function cctv(): Promise<Vector[]> {
  return Promise.all(Object.keys(CCTV).map(async (path) => read(path, await content(CCTV, path))));
}

export async function file(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return content(FILES, FOLDER + name);
}

export async function values(name: string): Promise<unknown> {
  return JSON.parse(new TextDecoder().decode(await file(name)));
}

/** What `run` comes to: its value, or the code of its refusal. Any other failure is a failure of the test. */
export async function outcome<T>(run: () => T | Promise<T>): Promise<{ value?: T; code: string | null }> {
  try {
    return { value: await run(), code: null };
  } catch (error) {
    if (error instanceof ProtocolError) return { code: error.code };
    throw error;
  }
}

/** Cuts bytes into pieces of so many. */
export function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.slice(at * size, (at + 1) * size));
}

export async function hexSha256(bytes: Uint8Array): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>)));
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function unhex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

async function content(files: Files, path: string): Promise<Uint8Array<ArrayBuffer>> {
  const load = files[path];
  if (!load) throw new Error(`no file ${path}`);
  const url = await load();
  return Uint8Array.from(atob(url.slice(url.indexOf(",") + 1)), (character) => character.charCodeAt(0));
}

function read(path: string, bytes: Uint8Array<ArrayBuffer>): Vector {
  let end = bytes.indexOf(0x0a);
  while (end >= 0 && bytes[end + 1] !== 0x0a) end = bytes.indexOf(0x0a, end + 1);
  const head = new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end)).trimEnd();
  const lines = head.split("\n").map((line) => {
    const at = line.indexOf(": ");
    return [line.slice(0, at), line.slice(at + 2)] as const;
  });
  return new Vector(path.slice(path.lastIndexOf("/") + 1), lines, end < 0 ? new Uint8Array(0) : bytes.slice(end + 2));
}
