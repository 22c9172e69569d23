/** Server-sent events, put together from bytes (the HTML standard, "Server-sent events"). */

export type HintKind = "message" | "mark" | "deleted" | "resync";
/** That something happened to a message, never what it says. */
export type Hint = { kind: HintKind; id: string };

const LINE_CHARS = 64 * 1024;
const KINDS: ReadonlySet<string> = new Set(["message", "mark", "deleted", "resync"]);

export class EventLines {
  /** What `Last-Event-ID` says when the stream is taken up again. */
  lastId: string;
  readonly #decoder = new TextDecoder();
  #rest = "";
  #data: string[] = [];

  constructor(lastId = "") {
    this.lastId = lastId;
  }

  /** Takes bytes in any cuts and gives what became complete. Throws RangeError at a line that is too long. */
  take(bytes: Uint8Array): Hint[] {
    this.#rest += this.#decoder.decode(bytes, { stream: true });
    const lines = this.#rest.split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length > LINE_CHARS) throw new RangeError("line of an event stream");
    return lines.flatMap((line) => this.#line(line));
  }

  #line(line: string): Hint[] {
    if (line === "") {
      const data = this.#data.join("\n");
      this.#data = [];
      const hint = data === "" ? null : readHint(data);
      return hint === null ? [] : [hint];
    }
    const colon = line.indexOf(":");
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") this.#data.push(value);
    if (name === "id" && !value.includes("\0")) this.lastId = value;
    return [];
  }
}

/** What a newer server says in other words is passed over. */
function readHint(data: string): Hint | null {
  try {
    const told = JSON.parse(data) as { kind?: unknown; id?: unknown };
    if (typeof told.kind !== "string" || typeof told.id !== "string" || !KINDS.has(told.kind)) return null;
    return { kind: told.kind as HintKind, id: told.id };
  } catch {
    return null;
  }
}
