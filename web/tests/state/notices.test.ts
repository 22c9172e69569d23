import { beforeEach, expect, test } from "vitest";
import { NoticesState, type NoticesHouse } from "../../src/state/notices.svelte";
import { Api } from "../../src/transfer/http";
import { PushUnavailable, type BrowserPush, type PushAbility, type Subscribed } from "../../src/transfer/push";

/** As much of a server as being told needs. */
class Server {
  readonly asked: string[] = [];
  readonly bodies: unknown[] = [];
  key = "KEY1";
  endpoints: string[] = [];
  refuses: string | null = null;
  quiet: object | null = null;
  mail: { address: string; verified: boolean; every_s: number; language: string } | null = null;

  readonly api = new Api({
    fetch: (input, init) => {
      const method = init.method ?? "GET";
      this.asked.push(`${method} ${input.replace("/api/v1/notices", "")}`);
      const body = typeof init.body === "string" ? (JSON.parse(init.body) as Record<string, unknown>) : {};
      this.bodies.push(body);
      if (this.refuses !== null && method !== "GET") return Promise.resolve(answer({ code: this.refuses }, 422));
      return Promise.resolve(this.#answer(`${method} ${input}`, body));
    },
  });

  #answer(asked: string, body: Record<string, unknown>): Response {
    if (asked === "GET /api/v1/notices") return answer(this.#notices());
    if (asked === "PUT /api/v1/notices/push") {
      this.endpoints = [...new Set([...this.endpoints, String(body["endpoint"])])];
      return answer(subscription(String(body["endpoint"])));
    }
    if (asked.startsWith("DELETE /api/v1/notices/push/")) {
      const id = asked.split("/").at(-1);
      this.endpoints = this.endpoints.filter((each) => subscription(each).id !== id);
    }
    if (asked.endsWith("/quiet")) this.quiet = asked.startsWith("PUT") ? body : null;
    if (asked.endsWith("/mail"))
      this.mail = asked.startsWith("PUT") ? ({ ...body, verified: false } as unknown as typeof this.mail) : null;
    if (asked.endsWith("/verification") && this.mail) {
      this.mail = { ...this.mail, verified: true };
      return answer(this.mail);
    }
    return new Response(null, { status: 204 });
  }

  #notices() {
    const { key: push_key, quiet, mail } = this;
    return { push_key, subscriptions: this.endpoints.map(subscription), quiet, mail, mail_possible: true };
  }
}

const subscription = (endpoint: string) => {
  const at = { created_at: 1, renewed_at: 2 };
  return { id: `psh_${endpoint}`, host: endpoint, here: endpoint !== "elsewhere", ...at };
};
const answer = (value: unknown, status = 200): Response =>
  new Response(JSON.stringify(value), { status, headers: { "content-type": "application/json" } });

/** A browser that a person answers. */
class Browser implements BrowserPush {
  ability: PushAbility = "yes";
  allows = true;
  hasService = true;
  made: { key: string; endpoint: string } | null = null;
  count = 0;

  ask(): Promise<boolean> {
    if (!this.allows) this.ability = "refused";
    return Promise.resolve(this.allows);
  }

  subscribed(key: string): Promise<Subscribed | null> {
    if (this.made?.key !== key) this.made = null;
    return Promise.resolve(this.made && shown(this.made.endpoint));
  }

  subscribe(key: string): Promise<Subscribed> {
    if (!this.hasService) return Promise.reject(new PushUnavailable("none"));
    this.made = { key, endpoint: `here-${++this.count}` };
    return Promise.resolve(shown(this.made.endpoint));
  }

  end(): Promise<void> {
    this.made = null;
    return Promise.resolve();
  }
}
const shown = (endpoint: string): Subscribed => ({ endpoint, p256dh: "P", auth: "A" });

let server: Server;
let browser: Browser;
let isTold: boolean;
let connect: () => void;

function arrive(): NoticesState {
  const house: NoticesHouse = {
    api: server.api,
    memory: {
      get isTold() {
        return isTold;
      },
      note: (news) => {
        isTold = news.isTold ?? isTold;
        return Promise.resolve();
      },
    },
    choices: { chosen: { language: "fr" } },
    live: {
      listen: (listener) => {
        connect = () => listener({ kind: "connected" });
        return () => undefined;
      },
    },
    signal: new AbortController().signal,
  };
  return new NoticesState(house, browser);
}
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
const codeOf = ({ refused }: NoticesState): string | undefined => refused?.failure.code;

beforeEach(() => {
  [server, browser, isTold] = [new Server(), new Browser(), false];
});

test("nothing is asked of the person, and nothing renewed, before they switch it on", async () => {
  browser.made = { key: "KEY1", endpoint: "somebody-before" };
  const notices = arrive();
  connect();
  await notices.look();
  expect(notices.here).toBe("off");
  expect(server.asked).toEqual(["GET "]);
});

test("switched on, it is on; switched off, browser and server forget it", async () => {
  const notices = arrive();
  await notices.turnOn();
  expect([notices.here, notices.refused, isTold]).toEqual(["on", null, true]);
  expect(server.endpoints).toEqual(["here-1"]);
  server.endpoints.push("elsewhere");
  await notices.look();
  await notices.turnOff();
  expect([notices.here, isTold, browser.made]).toEqual(["off", false, null]);
  expect(server.endpoints).toEqual(["elsewhere"]);
});

test("each visit renews it, once, and after a visit without a network at the next connection", async () => {
  await arrive().turnOn();
  server.refuses = "busy";
  server.asked.splice(0);
  arrive();
  await settled();
  server.refuses = null;
  connect();
  await settled();
  connect();
  await settled();
  expect(server.asked.filter((asked) => asked === "PUT /push")).toHaveLength(2);
  expect(server.endpoints).toEqual(["here-1"]);
});

test("a server with another key gets another subscription", async () => {
  await arrive().turnOn();
  server.key = "KEY2";
  arrive();
  await settled();
  expect(browser.made).toEqual({ key: "KEY2", endpoint: "here-2" });
  expect(server.endpoints).toEqual(["here-1", "here-2"]);
});

test("what the person, the browser or the server refuses is said, and nothing is on", async () => {
  const refusing: [() => void, string, NoticesState["here"]][] = [
    [() => (browser.allows = false), "push-refused", "refused"],
    [() => (browser.hasService = false), "push-unavailable", "off"],
    [() => (server.refuses = "endpoint-refused"), "endpoint-refused", "off"],
  ];
  for (const [refuse, code, here] of refusing) {
    [server, browser, isTold] = [new Server(), new Browser(), false];
    refuse();
    const notices = arrive();
    await notices.turnOn();
    expect([codeOf(notices), notices.here, isTold]).toEqual([code, here, false]);
  }
});

test("quiet hours are of this device’s zone, and do not end where they begin", async () => {
  const notices = arrive();
  await notices.setQuiet({ begins: 60, ends: 60 });
  expect(codeOf(notices)).toBe("quiet-empty");
  await notices.setQuiet({ begins: 1320, ends: 420 });
  expect([codeOf(notices), server.quiet]).toEqual([
    undefined,
    { begins: 1320, ends: 420, zone: new Intl.DateTimeFormat().resolvedOptions().timeZone },
  ]);
  await notices.setQuiet(null);
  expect(server.quiet).toBeNull();
});

test("an address is verified by the code that went there, and forgotten when it is to be", async () => {
  const notices = arrive();
  await notices.setMail("no address", 3600);
  expect(codeOf(notices)).toBe("bad-address");
  await notices.setMail(" ann@post.example ", 86_400);
  expect(server.mail).toEqual({ address: "ann@post.example", every_s: 86_400, language: "fr", verified: false });
  await notices.verify("1234");
  expect([codeOf(notices), server.mail?.verified]).toEqual(["wrong-code", false]);
  await notices.verify("1234 5678");
  expect(server.bodies).toContainEqual({ code: "12345678" });
  expect(notices.phase).toMatchObject({ kind: "ready", notices: { mail: { verified: true } } });
  await notices.stopMail();
  expect(server.mail).toBeNull();
});
