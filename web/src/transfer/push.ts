/**
 * Push messages in this browser: its permission, and the one subscription that a browser has for each address. Which words the
 * service worker says is noted where it can read them, since it sees no page's storage.
 */

import { b64, unb64 } from "../protocol/encoding";

/** What a server needs to know of a subscription. */
export type Subscribed = { endpoint: string; p256dh: string; auth: string };

/** `install`: this one has it only for apps on the home screen. */
export type PushAbility = "yes" | "refused" | "install" | "no";

export interface BrowserPush {
  readonly ability: PushAbility;
  /** Asks the person, by the browser's own question. Only after a press. */
  ask(): Promise<boolean>;
  /** The subscription for this key of a server; one for another key ends. */
  subscribed(key: string): Promise<Subscribed | null>;
  /** Makes one. @throws PushUnavailable */
  subscribe(key: string): Promise<Subscribed>;
  end(): Promise<void>;
}

/** The browser reaches no push service: it has none, or it is switched off. */
export class PushUnavailable extends Error {
  readonly code = "push-unavailable";
  override readonly name = "PushUnavailable";
}

const NOTES = "told";
const LANGUAGE = "/told/language";
const READY_MS = 10_000;

/** Lets the service worker speak this language; unless it was asked to tell, nothing is noted. */
export async function noteLanguage(language: string, isWanted = false): Promise<void> {
  if (!("caches" in globalThis) || !(isWanted || (await caches.has(NOTES)))) return;
  await (await caches.open(NOTES)).put(LANGUAGE, new Response(language));
}

/** What was told while nobody looked is seen now. */
export async function clearNotices(): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration();
  for (const notice of (await registration?.getNotifications()) ?? []) notice.close();
}

/** The number on the app's icon, where there is one. */
export async function showBadge(count: number): Promise<void> {
  if (!("setAppBadge" in navigator)) return;
  await (count > 0 ? navigator.setAppBadge(count) : navigator.clearAppBadge()).catch(() => undefined);
}

export const ownPush: BrowserPush = {
  get ability() {
    const isKnown = "serviceWorker" in navigator && "PushManager" in globalThis && "Notification" in globalThis;
    if (!isKnown) return (navigator as { standalone?: boolean }).standalone === false ? "install" : "no";
    return Notification.permission === "denied" ? "refused" : "yes";
  },

  async ask() {
    return (await Notification.requestPermission()) === "granted";
  },

  async subscribed(key) {
    const known = await (await manager())?.getSubscription();
    if (!known) return null;
    const made = known.options.applicationServerKey;
    if (made !== null && b64(new Uint8Array(made)) === key) return shown(known);
    await known.unsubscribe();
    return null;
  },

  async subscribe(key) {
    const managing = await manager();
    if (managing === undefined) throw new PushUnavailable("no service worker");
    try {
      const options = { userVisibleOnly: true, applicationServerKey: unb64(key) as Uint8Array<ArrayBuffer> };
      return shown(await managing.subscribe(options));
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      throw new PushUnavailable(error.message, { cause: error });
    }
  },

  async end() {
    const registration = await navigator.serviceWorker?.getRegistration();
    await (await registration?.pushManager?.getSubscription())?.unsubscribe();
    if ("caches" in globalThis) await caches.delete(NOTES);
  },
};

/** Of the service worker, which is about to be there at a first visit; none where the app runs without. */
async function manager(): Promise<PushManager | undefined> {
  const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), READY_MS));
  return (await Promise.race([navigator.serviceWorker.ready, late]))?.pushManager;
}

function shown(subscription: PushSubscription): Subscribed {
  const { endpoint, keys } = subscription.toJSON();
  const { p256dh, auth } = keys ?? {};
  if (endpoint === undefined || p256dh === undefined || auth === undefined) throw new PushUnavailable("no keys");
  return { endpoint, p256dh, auth };
}
