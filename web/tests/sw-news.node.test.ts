import { beforeEach, expect, test, vi } from "vitest";

/** As much of a service worker's world as news need. */
class World extends EventTarget {
  readonly shown: { title: string; options: NotificationOptions & { renotify: boolean } }[] = [];
  readonly opened: string[] = [];
  readonly sent: { url: string; init: RequestInit }[] = [];
  readonly badges: (number | undefined)[] = [];
  windows: Window[] = [];
  unplayed: number | null = 1;
  language: string | null = "en";
  fresh = subscription("renewed-here");

  readonly clients = {
    matchAll: () => Promise.resolve(this.windows),
    openWindow: (path: string) => Promise.resolve(void this.opened.push(path)),
  };
  readonly registration = {
    showNotification: (title: string, options: NotificationOptions & { renotify: boolean }) =>
      Promise.resolve(void this.shown.push({ title, options })),
    pushManager: { subscribe: () => Promise.resolve(this.fresh) },
  };

  fetch(url: string, init: RequestInit): Promise<Response> {
    this.sent.push({ url, init });
    if (this.unplayed === null) return Promise.reject(new TypeError("no network"));
    return Promise.resolve(new Response(JSON.stringify({ count: this.unplayed })));
  }

  /** Dispatches, and waits for what the handlers asked to be waited for. */
  async meet(name: string, more: object): Promise<void> {
    const waited: Promise<unknown>[] = [];
    const waitUntil = (work: Promise<unknown>): void => void waited.push(work);
    this.dispatchEvent(Object.assign(new Event(name), { waitUntil }, more));
    await Promise.all(waited);
  }
}

interface Window {
  focused: boolean;
  visibilityState: string;
  told: unknown[];
  isForward: boolean;
  postMessage(message: unknown): void;
  focus(): Promise<void>;
}
function openWindow(visibilityState = "visible", focused = false): Window {
  return {
    focused,
    visibilityState,
    told: [],
    isForward: false,
    postMessage(message) {
      this.told.push(message);
    },
    focus() {
      this.isForward = true;
      return Promise.resolve();
    },
  };
}
const subscription = (endpoint: string) => ({ toJSON: () => ({ endpoint, keys: { p256dh: "P", auth: "A" } }) });

let world: World;
const push = (text: string | null): Promise<void> =>
  world.meet("push", { data: text === null ? null : { json: () => JSON.parse(text) as unknown } });
const titles = (): string[] => world.shown.map(({ title }) => title);

beforeEach(async () => {
  vi.resetModules();
  world = new World();
  const caches = { match: () => Promise.resolve(world.language === null ? undefined : new Response(world.language)) };
  const setAppBadge = (count?: number): Promise<void> => Promise.resolve(void world.badges.push(count));
  vi.stubGlobal("self", world);
  vi.stubGlobal("caches", caches);
  vi.stubGlobal("fetch", (url: string, init: RequestInit) => world.fetch(url, init));
  vi.stubGlobal("navigator", { language: "fr-CA", languages: ["fr-CA"], setAppBadge });
  // By name: its typings are a worker's, not those of these tests.
  const { listenForNews } = await vi.importActual<{ listenForNews(): void }>("../src/sw-news");
  listenForNews();
});

test("each cause has its words, what is not understood the plainest, and a newer notice takes the place of an older one", async () => {
  for (const text of [
    '{"cause":"message"}',
    '{"cause":"caller"}',
    '{"cause":"request"}',
    '{"cause":"opened"}',
    '{"cause":9}',
    "{",
    null,
  ])
    await push(text);
  const plain = "Something waits for you";
  expect(titles()).toEqual([
    plain,
    "Somebody left you a message",
    "Somebody new wrote to you",
    "You can send from now on",
    plain,
    plain,
    plain,
  ]);
  expect(new Set(world.shown.map(({ options }) => options.tag)).size).toBe(1);
});

test("it speaks the language of the app, or else the browser’s", async () => {
  world.language = "fr";
  await push(null);
  world.language = null;
  await push(null);
  world.language = "en";
  await push(null);
  expect(world.shown.map(({ options }) => options.lang)).toEqual(["fr", "fr", "en"]);
  expect(titles()[0]).toBe("Quelque chose vous attend");
});

test("how many wait is asked of the server, and stands on the badge", async () => {
  world.unplayed = 3;
  await push('{"cause":"message"}');
  expect(world.shown[0]?.options.body).toBe("3 are waiting in your mailbox.");
  expect(world.badges).toEqual([3]);
  expect(world.sent[0]?.url).toBe("/api/v1/inbox/unplayed");
});

test("without a network something is shown all the same", async () => {
  world.unplayed = null;
  await push('{"cause":"message"}');
  expect(world.shown[0]?.options.body).toBe("Open your mailbox to see it.");
  expect(world.badges).toEqual([undefined]);
});

test("whoever looks at the app hears nothing", async () => {
  world.windows = [openWindow("visible", true)];
  await push(null);
  world.windows = [openWindow("hidden")];
  await push(null);
  expect(world.shown.map(({ options }) => [options.silent, options.renotify])).toEqual([
    [true, false],
    [false, true],
  ]);
});

test("a press opens the inbox, or brings a window forward and lets it decide", async () => {
  const closed: string[] = [];
  const notification = { close: () => closed.push("closed") };
  await world.meet("notificationclick", { notification });
  expect([closed, world.opened]).toEqual([["closed"], ["/inbox"]]);
  const [hidden, seen] = [openWindow("hidden"), openWindow()];
  world.windows = [hidden, seen];
  await world.meet("notificationclick", { notification });
  expect([hidden.isForward, seen.isForward, seen.told]).toEqual([false, true, [{ kind: "open-inbox" }]]);
  expect(world.opened).toHaveLength(1);
});

test("a subscription that the browser replaced is told to the server, and none is nothing", async () => {
  const oldSubscription = { options: {} };
  const bodies = (): unknown[] => world.sent.map(({ init }) => JSON.parse(init.body as string) as unknown);
  await world.meet("pushsubscriptionchange", { oldSubscription, newSubscription: subscription("renewed") });
  await world.meet("pushsubscriptionchange", { oldSubscription, newSubscription: null });
  await world.meet("pushsubscriptionchange", { oldSubscription: null, newSubscription: null });
  expect(bodies()).toEqual(["renewed", "renewed-here"].map((endpoint) => ({ endpoint, p256dh: "P", auth: "A" })));
  world.unplayed = null;
  await world.meet("pushsubscriptionchange", { oldSubscription, newSubscription: null });
});
