/** As much of a server as accounts need, in memory: versions, conditions and refusals are real, the network can be cut. */

import type { Fetch } from "../../src/transfer/http";

interface Stored {
  data: Uint8Array<ArrayBuffer>;
  version: number;
}
interface SignUpBody {
  name: string;
  record: string;
  keyring: string;
  unlock: { type: string; bearer: string; salt: string | null }[];
}

const json = (value: unknown, status = 200): Response =>
  new Response(JSON.stringify(value), { status, headers: { "content-type": "application/json" } });
const refusal = (status: number, code: string): Response => json({ title: code, status, code }, status);
const nothing = (headers: Record<string, string> = {}): Response => new Response(null, { status: 204, headers });

export class FakeServer {
  readonly accounts = new Map<string, { records: string[]; unlock: SignUpBody["unlock"] }>();
  readonly files = new Map<string, Stored>();
  readonly requests: string[] = [];
  isOpen = true;
  isCut = false;
  /** Answers of this path get lost on the way back. */
  losesAnswersOf = "";
  signedIn: string | null = null;

  readonly fetch: Fetch = async (input, init) => {
    const method = init.method ?? "GET";
    const { pathname } = new URL(input, "http://server.test");
    if (this.isCut) throw new TypeError("no network");
    this.requests.push(`${method} ${pathname}`);
    const answer = await this.#answer(method, pathname.replace("/api/v1/", ""), init);
    if (pathname === this.losesAnswersOf) throw new TypeError("the connection broke");
    return answer;
  };

  /** What another device would see and store. */
  put(path: string, data: Uint8Array<ArrayBuffer>): void {
    this.files.set(path, { data, version: (this.files.get(path)?.version ?? 0) + 1 });
  }

  async #answer(method: string, path: string, init: RequestInit): Promise<Response> {
    const body = typeof init.body === "string" ? (JSON.parse(init.body) as unknown) : null;
    if (path === "server") return json({ server_name: "post.example", protocol: [1], sign_up: this.#policy });
    if (path === "accounts") return this.#signUp(body as SignUpBody);
    if (path === "sign-in") return this.#signIn(body as { name: string; type: string; bearer: string });
    const [room = "", name = "", what = ""] = path.split("/");
    if (room === "accounts") return this.#records(name, what);
    if (what === "salt") return json({ salt: this.#way(name, "passphrase")?.salt ?? "AAAAAAAAAAAAAAAAAAAAAA" });
    if (this.signedIn === null) return refusal(401, "not-signed-in");
    if (path === "events") return new Response(new ReadableStream());
    if (room === "sessions") {
      this.signedIn = null;
      return nothing();
    }
    if (path === "account/state") return json({ items: this.#shards() });
    return method === "PUT" ? this.#put(path, init) : this.#get(path);
  }

  get #policy(): string {
    return this.isOpen ? "open" : "closed";
  }

  #signUp({ name, record, keyring, unlock }: SignUpBody): Response {
    if (this.accounts.has(name)) return refusal(409, "name-taken");
    this.accounts.set(name, { records: [record], unlock });
    this.put(
      "account/keyring",
      Uint8Array.from(atob(standard(keyring)), (sign) => sign.charCodeAt(0)),
    );
    return this.#welcome(name);
  }

  #signIn({ name, type, bearer }: { name: string; type: string; bearer: string }): Response {
    return this.#way(name, type)?.bearer === bearer ? this.#welcome(name) : refusal(401, "sign-in-refused");
  }

  #welcome(name: string): Response {
    this.signedIn = name;
    return json({ acct: `${name}@post.example`, session_id: "ses_1", token: "" }, 201);
  }

  #way(name: string, type: string): SignUpBody["unlock"][number] | undefined {
    return this.accounts.get(name)?.unlock.find((way) => way.type === type);
  }

  #records(name: string, what: string): Response {
    const account = this.accounts.get(name);
    if (!account) return refusal(404, "no-such-account");
    const items = account.records.map((record, at) => ({ acct: `${name}@post.example`, record, rev: at + 1 }));
    return json(what === "records" ? { items } : items.at(-1));
  }

  #shards(): { shard: string; version: string }[] {
    const names = [...this.files].filter(([path]) => path.startsWith("account/state/"));
    return names.map(([path, { version }]) => ({ shard: path.slice("account/state/".length), version: `v${version}` }));
  }

  #get(path: string): Response {
    const stored = this.files.get(path);
    return stored
      ? new Response(stored.data, { headers: { etag: `"v${stored.version}"` } })
      : refusal(404, "not-found");
  }

  #put(path: string, init: RequestInit): Response {
    const headers = new Headers(init.headers);
    const stored = this.files.get(path);
    const isFitting = stored
      ? headers.get("if-match") === `"v${stored.version}"`
      : headers.get("if-none-match") === "*";
    if (!isFitting) return refusal(412, "stale-version");
    this.put(path, (init.body as Uint8Array<ArrayBuffer>).slice());
    return nothing({ etag: `"v${this.files.get(path)?.version}"` });
  }
}

function standard(text: string): string {
  return text.replaceAll("-", "+").replaceAll("_", "/");
}
