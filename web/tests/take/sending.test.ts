import * as fc from "fast-check";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { b64, utf8 } from "../../src/protocol/encoding";
import { emptyContent, type Draft, type DraftContent, type Drafts } from "../../src/storage/drafts";
import { StorageError } from "../../src/storage/errors";
import { formOf } from "../../src/take/form";
import { resumeDraft, sendDraft, type SendingState } from "../../src/take/sending";
import { Api, type Fetch } from "../../src/transfer/http";

vi.mock("../../src/storage/spool", () => ({ removeSpool: () => Promise.resolve() }));
vi.mock("../../src/take/link", () => ({ startWorker: () => ({ order: () => undefined, close: () => undefined }) }));

const calm = { baseMs: 1, capMs: 1, random: () => 0, sleep: () => Promise.resolve() };
const ID = "msg_aaaaaaaaaaaaaaaaaaaaaaaaaa";

/** One draft, in memory; what was written before a "reload" is what is read after it. */
class Shelf {
  content: DraftContent | null = { ...emptyContent("AGE-SECRET-KEY-1X"), upload: { id: "upl_1", capability: "c" } };
  get = (id: string): Promise<Draft> => {
    if (this.content === null) return Promise.reject(new StorageError("not-on-this-device"));
    return Promise.resolve({ id, acct: "ann@here", createdMs: 1, key: {} as CryptoKey, content: this.content });
  };
  change = async (id: string, change: (content: DraftContent) => Partial<DraftContent>): Promise<Draft> => {
    const draft = await this.get(id);
    this.content = { ...draft.content, ...change(draft.content) };
    return this.get(id);
  };
  remove = (): Promise<void> => {
    this.content = null;
    return Promise.resolve();
  };
}

type Fault = "cut-before" | "answer-lost" | "busy" | "upload-gone" | "upload-unfinished" | "no-such-recipient";

/** Leaves a message once for each Idempotency-Key and id, as docs/reference/messages.md says. */
class Server {
  readonly left = new Map<string, string>();
  readonly kept = new Map<string, string>();
  readonly faults: Fault[] = [];
  isElsewhere = false;
  fetch: Fetch = (_, init) => {
    if (init.method === "GET") {
      const there = { id: ID, received_at: 99, deliveries: [{ recipient: "grace" }] };
      return Promise.resolve(this.isElsewhere ? refusal("not-found") : Response.json(there));
    }
    const fault = this.faults.shift();
    if (fault === "cut-before") return Promise.reject(new TypeError("Failed to fetch"));
    if (fault !== undefined && fault !== "answer-lost") return Promise.resolve(refusal(fault));
    const key = new Headers(init.headers).get("idempotency-key") ?? "";
    const body = new TextDecoder().decode(init.body as Uint8Array);
    if ((this.kept.get(key) ?? body) !== body) return Promise.resolve(refusal("key-reused"));
    if ((this.left.get(ID) ?? body) !== body) return Promise.resolve(refusal("id-taken"));
    this.kept.set(key, body);
    this.left.set(ID, body);
    if (fault === "answer-lost") return Promise.reject(new TypeError("Failed to fetch"));
    return Promise.resolve(Response.json({ id: ID, received_at: 99, state: "stored" }, { status: 201 }));
  };
}

function refusal(code: string): Response {
  return new Response(JSON.stringify({ code, status: 410 }), { status: code === "busy" ? 503 : 410 });
}

/** Web Locks of one name: one after the other. */
let turn: Promise<unknown> = Promise.resolve();
const inTurn = ((_: string, __: LockOptions, work: () => Promise<unknown>): Promise<unknown> => {
  const mine = turn.then(work);
  turn = mine.catch(() => undefined);
  return mine;
}) as LockManager["request"];

let shelf: Shelf;
let server: Server;
let states: SendingState[];
let composed: string[];

function options() {
  return {
    drafts: shelf as unknown as Drafts,
    locks: { request: inTurn },
    api: new Api({ fetch: server.fetch, waiting: calm }),
    onState: (state: SendingState) => void states.push(state),
    bring: async (id: string) => {
      const upload = shelf.content?.upload ?? { id: `upl_${composed.length + 2}`, capability: "c" };
      await shelf.change(id, () => ({ isStored: true, upload }));
    },
    compose: ({ upload, wish }: { upload: string; wish: { to: string[]; caption: string | null } }) => {
      composed.push(upload);
      const envelopes = Object.fromEntries(wish.to.map((name) => [name, b64(utf8(`${composed.length} ${upload}`))]));
      return Promise.resolve({ message: JSON.stringify({ id: ID, upload }), details: "AAAA", envelopes, sent: "BBBB" });
    },
  };
}

const wish = { to: ["grace"], caption: "Hello" };

beforeEach(() => {
  shelf = new Shelf();
  server = new Server();
  states = [];
  composed = [];
});

describe("a draft that is sent", () => {
  test("is brought up, sealed, left and then gone from the device", async () => {
    await sendDraft(ID, wish, options());
    expect(states.map((state) => state.kind)).toEqual(["uploading", "sealing", "posting", "sent"]);
    expect(server.left.size).toBe(1);
    expect(shelf.content).toBeNull();
  });

  test("whose answer was lost goes on after a reload with the same bytes, and is one message", async () => {
    server.faults.push("answer-lost");
    const stop = new AbortController();
    const never = { ...calm, sleep: () => Promise.reject(new DOMException("the tab was closed", "AbortError")) };
    const closed = { ...options(), api: new Api({ fetch: server.fetch, waiting: never }), signal: stop.signal };
    await expect(sendDraft(ID, wish, closed)).rejects.toThrow("the tab was closed");
    expect(shelf.content?.wish).toEqual(wish);
    await resumeDraft(ID, options());
    expect(composed).toHaveLength(1);
    expect(server.kept.size).toBe(1);
    expect(shelf.content).toBeNull();
  });

  test("that was taken back while the server was leaving it counts as sent, to whom it was left", async () => {
    server.faults.push("answer-lost");
    const never = { ...calm, sleep: () => Promise.reject(new DOMException("taken back", "AbortError")) };
    const stopped = { ...options(), api: new Api({ fetch: server.fetch, waiting: never }) };
    await expect(sendDraft(ID, wish, stopped)).rejects.toThrow("taken back");
    await shelf.change(ID, () => ({ wish: null, request: null }));
    await sendDraft(ID, { to: ["hopper"], caption: "Hello" }, options());
    expect(states.at(-1)).toEqual({ kind: "sent", receivedAtMs: 99, to: ["grace@here"] });
    expect([server.left.size, shelf.content]).toEqual([1, null]);
  });

  test("whose id somebody else took is refused, and kept", async () => {
    server.left.set(ID, "something else");
    server.isElsewhere = true;
    await expect(sendDraft(ID, wish, options())).rejects.toMatchObject({ code: "id-taken" });
    expect(shelf.content?.wish).toEqual(wish);
  });

  test("is sealed while the rest goes up, once", async () => {
    const video = { size: 1, sha256: ["A"], type: "video/mp4", ms: 1, w: 2, h: 2 };
    await shelf.change(ID, () => ({ video }));
    const { bring, ...rest } = options();
    const sealedFirst = async (id: string): Promise<void> => {
      expect(composed).toEqual(["upl_1"]);
      await bring(id);
    };
    await sendDraft(ID, wish, { ...rest, bring: sealedFirst });
    expect(composed).toEqual(["upl_1"]);
    expect(server.left.get(ID)).toContain("upl_1");
  });

  test("is sealed again when it went up as another upload", async () => {
    const video = { size: 1, sha256: ["A"], type: "video/mp4", ms: 1, w: 2, h: 2 };
    await shelf.change(ID, () => ({ video }));
    const anew = async (id: string): Promise<void> => {
      await shelf.change(id, () => ({ isStored: true, upload: { id: "upl_9", capability: "c" } }));
    };
    await sendDraft(ID, wish, { ...options(), bring: anew });
    expect(composed).toEqual(["upl_1", "upl_9"]);
    expect(server.left.get(ID)).toContain("upl_9");
  });

  test("goes up again when the server lost its upload, and names the new one", async () => {
    server.faults.push("upload-gone");
    await sendDraft(ID, wish, options());
    expect(composed).toEqual(["upl_1", "upl_3"]);
    expect(server.left.get(ID)).toContain("upl_3");
  });

  test("to somebody who is not there stays, and goes to somebody who is", async () => {
    server.faults.push("no-such-recipient");
    await expect(sendDraft(ID, wish, options())).rejects.toMatchObject({ code: "no-such-recipient" });
    expect(shelf.content?.isStored).toBe(true);
    await sendDraft(ID, { ...wish, to: ["ada"] }, options());
    expect(server.left.get(ID)).toContain("envelope:ada");
    expect(server.left.get(ID)).not.toContain("grace");
  });

  test("found by two tabs is sealed and sent by one of them", async () => {
    await shelf.change(ID, () => ({ wish }));
    await Promise.all([resumeDraft(ID, options()), resumeDraft(ID, options())]);
    expect(composed).toHaveLength(1);
    expect(states.filter((state) => state.kind === "sent" || state.kind === "gone").map((state) => state.kind)).toEqual(
      ["sent", "gone"],
    );
  });

  test("does not ask for ever when the server loses every upload", async () => {
    server.faults.push(...Array.from({ length: 9 }, (): Fault => "upload-gone"));
    await expect(sendDraft(ID, wish, options())).rejects.toMatchObject({ code: "upload-gone" });
    expect(shelf.content?.wish).toEqual(wish);
  });

  test("is the same message once, whatever passes on the way", async () => {
    const fault = fc.constantFrom<Fault>("cut-before", "answer-lost", "busy", "upload-unfinished");
    await fc.assert(
      fc.asyncProperty(fc.array(fault, { maxLength: 3 }), async (faults) => {
        [shelf, server] = [new Shelf(), new Server()];
        server.faults.push(...faults);
        await sendDraft(ID, wish, options());
        expect([server.left.size, server.kept.size, shelf.content]).toEqual([1, 1, null]);
      }),
    );
  });
});

test("the form is read by an independent reader as it was written, and is the same each time", async () => {
  const data = Uint8Array.from({ length: 256 }, (_, at) => at);
  const envelopes = { grace: b64(data), "ada-1": "AAAA" };
  const request = {
    idempotencyKey: crypto.randomUUID(),
    upload: "upl_1",
    message: '{"é":1}',
    details: "BBBB",
    envelopes,
  };
  const { body, contentType } = formOf({ ...request, sent: "CCCC" });
  const form = await new Response(body, { headers: { "content-type": contentType } }).formData();
  expect([...form.keys()].sort()).toEqual(["details", "envelope:ada-1", "envelope:grace", "message", "sent"]);
  expect(form.get("message")).toBe('{"é":1}');
  expect(Buffer.from(body).indexOf(Buffer.concat([utf8("\r\n\r\n"), data, utf8("\r\n--restante-")]))).toBeGreaterThan(
    0,
  );
  expect(formOf({ ...request, sent: "CCCC" }).body).toEqual(body);
});
