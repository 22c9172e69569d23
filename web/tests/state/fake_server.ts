/** As much of a server as accounts need, in memory: versions, conditions and refusals are real, the network can be cut. */

import type { Fetch } from "../../src/transfer/http";
import { FakeLog } from "./fake_log";

interface Stored {
  data: Uint8Array<ArrayBuffer>;
  version: number;
}
interface OtherSession {
  id: string;
  client: "web" | "cli";
  created_at: number;
  last_seen_at: number;
  current: false;
  label: string;
  device: string | null;
}
interface SignUpBody {
  name: string;
  record: string;
  keyring: string;
  unlock: Unlock[];
}
interface Unlock {
  type: string;
  bearer?: string | null;
  salt?: string | null;
  mid?: string | null;
  label?: string | null;
  ceremony?: string | null;
  credential?: { id: string } | null;
}
interface ChangedWay extends Unlock {
  keyring: string;
}

const json = (value: unknown, status = 200): Response =>
  new Response(JSON.stringify(value), { status, headers: { "content-type": "application/json" } });
const refusal = (status: number, code: string): Response => json({ title: code, status, code }, status);
const nothing = (headers: Record<string, string> = {}): Response => new Response(null, { status: 204, headers });

export class FakeServer {
  readonly accounts = new Map<string, { records: string[]; unlock: SignUpBody["unlock"] }>();
  readonly files = new Map<string, Stored>();
  readonly requests: string[] = [];
  readonly log = new FakeLog("post.example");
  isOpen = true;
  isCut = false;
  /** Answers of this path get lost on the way back. */
  losesAnswersOf = "";
  signedIn: string | null = null;
  /** Another device has removed this one. */
  isRemoved = false;
  /** What this session said of itself. */
  introduced: { label: string; device: string | null } | null = null;
  /** Where else the account is signed in. */
  readonly others: OtherSession[] = [];
  hasPasskeys = false;
  /** Changes of ways in, and ending other sessions, ask who this is. */
  isStale = false;
  /** So many passkeys of sign-ups to come. */
  refusesPasskeys = 0;
  /** Another device is quicker: called once, before the next request of this kind is answered. */
  before: { request: string; work: () => Promise<void> } | null = null;
  readonly bodies: string[] = [];
  #ceremonies = 0;
  readonly #used = new Set<string>();

  readonly fetch: Fetch = async (input, init) => {
    const method = init.method ?? "GET";
    const { pathname } = new URL(input, "http://server.test");
    if (this.isCut) throw new TypeError("no network");
    if (pathname.startsWith("/tlog/")) return this.log.answer(pathname.slice("/tlog/".length));
    this.requests.push(`${method} ${pathname}`);
    if (typeof init.body === "string") this.bodies.push(init.body);
    const { before } = this;
    if (before?.request === `${method} ${pathname}`) {
      this.before = null;
      await before.work();
    }
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
    if (path === "server") {
      return json({ server_name: "post.example", protocol: [1], sign_up: this.#policy, passkeys: this.hasPasskeys });
    }
    if (path.startsWith("passkeys/")) return json({ ceremony: `cer_${this.#ceremonies++}`, options: {} });
    if (path === "sign-in/passkey") return this.#signInByPasskey(body as Unlock);
    if (path === "accounts") return this.#signUp(body as SignUpBody);
    if (path === "sign-in") return this.#signIn(body as { name: string; type: string; bearer: string });
    const [room = "", name = "", what = ""] = path.split("/");
    if (room === "accounts") return this.#records(name, what);
    if (what === "salt") return json({ salt: this.#way(name, "passphrase")?.salt ?? "AAAAAAAAAAAAAAAAAAAAAA" });
    if (this.isRemoved) return refusal(401, "device-removed");
    if (this.signedIn === null) return refusal(401, "not-signed-in");
    if (path === "events") return new Response(new ReadableStream());
    if (room === "sessions") return this.#sessions(method, name, body);
    if (path === "account" && method === "DELETE") return this.#end();
    if (path === "account/verification") return this.#verify(body as Unlock);
    if (path.startsWith("account/ways-in"))
      return this.#waysIn(method, path.split("/")[2] ?? "", body as ChangedWay, init);
    if (method === "PUT" && path === "account/record") return this.#putRecord(body as { record: string });
    if (path === "account/state") return json({ items: this.#shards() });
    return method === "PUT" ? this.#put(path, init) : this.#get(path);
  }

  #sessions(method: string, name: string, body: unknown): Response {
    const nobody = { label: "", device: null };
    const current = { id: "ses_1", client: "web", created_at: 1, last_seen_at: 2, current: true };
    if (method === "GET") return json({ items: [{ ...current, ...nobody, ...this.introduced }, ...this.others] });
    if (method === "DELETE" && name !== "current" && this.isStale) return refusal(403, "verification-needed");
    if (method === "PUT") this.introduced = body as { label: string; device: string | null };
    else if (name === "others") this.others.splice(0);
    else if (name === "current" || name === "") this.signedIn = null;
    else {
      const at = this.others.findIndex(({ id }) => id === name);
      if (at < 0) return refusal(404, "not-found");
      this.others.splice(at, 1);
    }
    return nothing();
  }

  get #policy(): string {
    return this.isOpen ? "open" : "closed";
  }

  #signUp({ name, record, keyring, unlock }: SignUpBody): Response {
    if (this.accounts.has(name)) return refusal(409, "name-taken");
    if (unlock.some((way) => way.type === "passkey" && !this.#isFresh(way))) return refusal(400, "passkey-refused");
    this.accounts.set(name, { records: [record], unlock });
    this.put("account/keyring", bytesOf(keyring));
    return this.#welcome(name);
  }

  #signIn({ name, type, bearer }: { name: string; type: string; bearer: string }): Response {
    return this.#way(name, type)?.bearer === bearer ? this.#welcome(name) : refusal(401, "sign-in-refused");
  }

  #signInByPasskey(shown: Unlock): Response {
    const found = [...this.accounts].find(([, { unlock }]) => unlock.some((way) => isOf(way, shown)));
    return found && this.#isFresh(shown) ? this.#welcome(found[0]) : refusal(400, "passkey-refused");
  }

  #verify(shown: Unlock): Response {
    const ways = this.accounts.get(this.signedIn ?? "")?.unlock ?? [];
    const isRight = ways.some((way) =>
      shown.type === "passkey" ? isOf(way, shown) : way.type === shown.type && way.bearer === shown.bearer,
    );
    if (!isRight) return refusal(401, "sign-in-refused");
    this.isStale = false;
    return json({ until: Date.now() + 300_000 });
  }

  #end(): Response {
    if (this.isStale) return refusal(403, "verification-needed");
    this.accounts.delete(this.signedIn ?? "");
    this.signedIn = null;
    return nothing();
  }

  #waysIn(method: string, id: string, form: ChangedWay, init: RequestInit): Response {
    const account = this.accounts.get(this.signedIn ?? "");
    if (!account) return refusal(404, "not-found");
    if (method === "GET") return json({ items: account.unlock.map(listed) });
    if (this.isStale) return refusal(403, "verification-needed");
    const { keyring, ...way } = form;
    const stored = this.#put("account/keyring", { ...init, body: bytesOf(keyring) });
    if (!stored.ok) return stored;
    if (id === "passkeys" && method === "POST" && !this.#isFresh(way)) return refusal(400, "passkey-refused");
    const others = account.unlock.filter((each) => listed(each).id !== id);
    const added = { ...way, type: id === "passkeys" ? "passkey" : id };
    account.unlock = method === "DELETE" ? others : [...others, added];
    return stored;
  }

  /** A ceremony is good for one answer. */
  #isFresh({ ceremony }: Unlock): boolean {
    if (this.refusesPasskeys-- > 0) return false;
    if (!ceremony || this.#used.has(ceremony)) return false;
    this.#used.add(ceremony);
    return true;
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
    if (what === "") return json({ taken: account !== undefined });
    if (!account) return refusal(404, "no-such-account");
    const acct = `${name}@post.example`;
    const items = account.records.map((record, at) => ({
      acct,
      record,
      rev: at + 1,
      leaf: this.log.leafOf(acct, record),
    }));
    return json(what === "records" ? { items } : items.at(-1));
  }

  #putRecord({ record }: { record: string }): Response {
    this.accounts.get(this.signedIn ?? "")?.records.push(record);
    return json({});
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

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));
}

function isOf(way: Unlock, shown: Unlock): boolean {
  return way.type === "passkey" && way.credential?.id === shown.credential?.id;
}

function listed({ type, mid, label }: Unlock) {
  return { id: mid ?? type, type, label: label ?? "", created_at: 0, last_used_at: null };
}
