import * as fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { EventLines } from "../../src/transfer/events";
import type { Fetch } from "../../src/transfer/http";
import { LiveChannel, type Happening, type LiveState, type Visibility } from "../../src/transfer/live";

const calm = {
  baseMs: 1,
  capMs: 1,
  random: () => 0,
  sleep: () => new Promise<void>((resolve) => setTimeout(resolve, 1)),
};

/** Web Locks, exclusive ones only, for one browser. */
class Locks {
  readonly #queues = new Map<string, Promise<unknown>>();

  readonly request = ((
    name: string,
    options: LockOptions,
    work: (lock: Lock) => Promise<unknown>,
  ): Promise<unknown> => {
    const before = this.#queues.get(name) ?? Promise.resolve();
    const mine = before.then(() => {
      options.signal?.throwIfAborted();
      return work({ name, mode: "exclusive" });
    });
    this.#queues.set(
      name,
      mine.catch(() => undefined),
    );
    return mine;
  }) as LockManager["request"];
}

class Server {
  open = 0;
  most = 0;
  readonly lastIds: (string | null)[] = [];
  refusal: Response | null = null;
  #controllers: ReadableStreamDefaultController<Uint8Array>[] = [];

  readonly fetch: Fetch = (_, init) => {
    this.lastIds.push(new Headers(init.headers).get("last-event-id"));
    if (this.refusal !== null) return Promise.resolve(this.refusal.clone());
    this.open += 1;
    this.most = Math.max(this.most, this.open);
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void this.#controllers.push(controller) });
    init.signal?.addEventListener("abort", () => this.#end(init.signal?.reason));
    this.send("id: 7\n\n");
    return Promise.resolve(new Response(body));
  };

  send(text: string): void {
    for (const controller of this.#controllers) controller.enqueue(new TextEncoder().encode(text));
  }

  cut(): void {
    this.#end(new TypeError("network"));
  }

  #end(reason: unknown): void {
    for (const controller of this.#controllers) controller.error(reason);
    this.open -= this.#controllers.length;
    this.#controllers = [];
  }
}

class Page implements Visibility {
  #listeners: (() => void)[] = [];
  #hidden = false;
  isHidden = (): boolean => this.#hidden;
  onChange = (listener: () => void): (() => void) => {
    this.#listeners.push(listener);
    return () => undefined;
  };
  show(visible: boolean): void {
    this.#hidden = !visible;
    for (const listener of this.#listeners) listener();
  }
}

type Tab = { channel: LiveChannel; heard: Happening[]; states: LiveState[]; page: Page };
let browser = 0;
const tabs: Tab[] = [];

function openTab(server: Server, locks: Locks): Tab {
  const heard: Happening[] = [];
  const states: LiveState[] = [];
  const page = new Page();
  const channel = new LiveChannel({
    acct: `ann@${browser}`,
    onHappening: (happening) => heard.push(happening),
    onState: (state) => states.push(state),
    fetch: server.fetch,
    waiting: calm,
    locks,
    visibility: page,
    restAfterMs: 5,
  });
  const tab = { channel, heard, states, page };
  tabs.push(tab);
  return tab;
}

afterEach(() => {
  for (const tab of tabs.splice(0)) tab.channel.close();
  browser += 1;
});

const MESSAGE = 'event: message\nid: 8\ndata: {"kind":"message","id":"msg_x"}\n\n';

describe("the live channel", () => {
  test("of eight tabs is one connection, and all of them hear", async () => {
    const server = new Server();
    const locks = new Locks();
    const eight = Array.from({ length: 8 }, () => openTab(server, locks));
    await vi.waitFor(() => expect(eight.every((tab) => tab.channel.state === "live")).toBe(true));
    server.send(MESSAGE);
    await vi.waitFor(() => {
      for (const tab of eight) expect(tab.heard).toContainEqual({ kind: "message", id: "msg_x" });
    });
    expect(server.most).toBe(1);
    expect(eight.filter((tab) => tab.channel.leads)).toHaveLength(1);
  });

  test("goes on from the last event in another tab when the leading one is closed", async () => {
    const server = new Server();
    const locks = new Locks();
    const first = openTab(server, locks);
    const second = openTab(server, locks);
    await vi.waitFor(() => expect(first.channel.state).toBe("live"));
    server.send(MESSAGE);
    await vi.waitFor(() => expect(second.heard).toContainEqual({ kind: "message", id: "msg_x" }));
    first.channel.close();
    await vi.waitFor(() => expect(second.channel.leads).toBe(true));
    expect(server.lastIds).toEqual([null, "8"]);
    expect(server.open).toBe(1);
  });

  test("comes back after a cut and says that it did", async () => {
    const server = new Server();
    const tab = openTab(server, new Locks());
    await vi.waitFor(() => expect(tab.channel.state).toBe("live"));
    server.cut();
    await vi.waitFor(() => expect(tab.heard.filter((each) => each.kind === "connected")).toHaveLength(2));
    expect(tab.states).toEqual(["live", "offline", "live"]);
    expect(server.lastIds).toEqual([null, "7"]);
  });

  test("asks no more once the session has ended", async () => {
    const server = new Server();
    server.refusal = new Response(JSON.stringify({ code: "not-signed-in", status: 401 }), { status: 401 });
    const tab = openTab(server, new Locks());
    await vi.waitFor(() => expect(tab.channel.state).toBe("refused"));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(server.lastIds).toHaveLength(1);
  });

  test("rests while every tab is hidden, leads from a visible one, and comes back to what was missed", async () => {
    const server = new Server();
    const locks = new Locks();
    const first = openTab(server, locks);
    await vi.waitFor(() => expect(first.channel.state).toBe("live"));
    first.page.show(false);
    await vi.waitFor(() => expect(first.channel.state).toBe("resting"));
    expect(server.open).toBe(0);
    first.page.show(true);
    await vi.waitFor(() => expect(first.channel.state).toBe("live"));
    expect(server.lastIds).toEqual([null, "7"]);
    expect(first.channel.leads).toBe(true);
  });
});

test("events are the same however their bytes are cut", () => {
  const text = `retry: 1000\r\nid: 5\r\n\r\n:\n\n${MESSAGE}event: mark\nid: 9\ndata: {"kind":"mark",\ndata: "id":"msg_é"}\n\nevent: new\nid: 10\ndata: {"kind":"new","id":"x"}\n\n`;
  const bytes = new TextEncoder().encode(text);
  fc.assert(
    fc.property(fc.array(fc.nat({ max: bytes.length })), (cuts) => {
      const lines = new EventLines();
      const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      const hints = places.slice(1).flatMap((end, at) => lines.take(bytes.subarray(places[at], end)));
      expect(hints).toEqual([
        { kind: "message", id: "msg_x" },
        { kind: "mark", id: "msg_é" },
      ]);
      expect(lines.lastId).toBe("10");
    }),
  );
});

test("a line without end is refused, not kept", () => {
  expect(() => new EventLines().take(new Uint8Array(70_000).fill(65))).toThrow(RangeError);
});
