/// <reference lib="webworker" />
/**
 * Tells the person of news while no page is open. A push message says only that something came; how many wait is asked of the
 * server, from this device. The words stand here, in the language that a page has noted.
 */

import { m } from "./i18n/messages";

const sw = self as unknown as ServiceWorkerGlobalScope;
/** One notice at a time: a newer one takes the place of the one before. */
const TAG = "news";
const INBOX = "/inbox";
const NOTICES = "/api/v1/notices/push";
const UNPLAYED = "/api/v1/inbox/unplayed";
const ANSWER_MS = 8000;

type Locale = "en" | "fr";
type Cause = "message" | "caller" | "request" | "opened";
const TITLES: Readonly<Record<Cause, (inputs: object, options: { locale: Locale }) => string>> = {
  message: m.push_message,
  caller: m.push_caller,
  request: m.push_request,
  opened: m.push_opened,
};

/** An empty one says no more than that something came. */
function causeOf(data: PushMessageData | null): Cause {
  try {
    const { cause } = (data?.json() ?? {}) as { cause?: unknown };
    return typeof cause === "string" && Object.hasOwn(TITLES, cause) ? (cause as Cause) : "message";
  } catch {
    return "message";
  }
}

/** As `state/told-language.ts` notes it; else what the browser prefers. */
async function language(): Promise<Locale> {
  const noted = await caches.match("/told/language", { cacheName: "told" });
  const tag = (await noted?.text()) ?? navigator.language;
  return tag.startsWith("fr") ? "fr" : "en";
}

/** How many wait; null when the server cannot be asked now. */
async function waiting(): Promise<number | null> {
  try {
    const answer = await fetch(UNPLAYED, { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
    if (!answer.ok) return null;
    const { count } = (await answer.json()) as { count: unknown };
    return typeof count === "number" ? count : null;
  } catch {
    return null;
  }
}

async function badge(count: number | null): Promise<void> {
  if (!("setAppBadge" in navigator)) return;
  await (count === null ? navigator.setAppBadge() : navigator.setAppBadge(count)).catch(() => undefined);
}

/** Browsers want something shown for each push. Whoever is looking at the app hears nothing: the app itself shows it. */
async function tell(cause: Cause): Promise<void> {
  const [locale, count, windows] = await Promise.all([
    language(),
    waiting(),
    sw.clients.matchAll({ type: "window", includeUncontrolled: true }),
  ]);
  const silent = windows.some(({ focused }) => focused);
  const body = count !== null && count > 1 ? m.push_waiting({ count }, { locale }) : m.push_open({}, { locale });
  const look = { body, lang: locale, tag: TAG, icon: "/icons/icon-192.png", badge: "/icons/icon-192.png" };
  // The typings know no `renotify`: a notice that takes another's place is told again.
  const options: NotificationOptions & { renotify: boolean } = { ...look, silent, renotify: !silent };
  await Promise.all([sw.registration.showNotification(TITLES[cause]({}, { locale }), options), badge(count)]);
}

/** A window that is open comes forward, and goes to the inbox unless a take or a video is in it: that it decides itself. */
async function open(): Promise<void> {
  const windows = await sw.clients.matchAll({ type: "window", includeUncontrolled: true });
  const chosen = windows.find(({ visibilityState }) => visibilityState === "visible") ?? windows[0];
  if (chosen === undefined) {
    await sw.clients.openWindow(INBOX);
    return;
  }
  chosen.postMessage({ kind: "open-inbox" });
  await chosen.focus().catch(() => undefined);
}

/** The browser has replaced its subscription by itself: the server is told while the session lasts. */
async function renew(event: Partial<PushSubscriptionChangeEvent>): Promise<void> {
  const options = event.oldSubscription?.options;
  const fresh = event.newSubscription ?? (options && (await sw.registration.pushManager.subscribe(options)));
  const { endpoint, keys } = fresh?.toJSON() ?? {};
  if (endpoint === undefined || keys?.["p256dh"] === undefined || keys["auth"] === undefined) return;
  const body = JSON.stringify({ endpoint, p256dh: keys["p256dh"], auth: keys["auth"] });
  await fetch(NOTICES, { method: "PUT", body, headers: { "content-type": "application/json" } });
}

interface PushSubscriptionChangeEvent extends ExtendableEvent {
  readonly newSubscription: PushSubscription | null;
  readonly oldSubscription: PushSubscription | null;
}

/** Before the worker's first run has ended, as browsers want it. */
export function listenForNews(): void {
  sw.addEventListener("push", (event) => event.waitUntil(tell(causeOf(event.data))));
  sw.addEventListener("notificationclick", (event) => {
    event.notification.close();
    event.waitUntil(open());
  });
  sw.addEventListener("pushsubscriptionchange", (event) => {
    const changed = event as PushSubscriptionChangeEvent;
    changed.waitUntil(renew(changed).catch(() => undefined)); // else at the next visit
  });
}
