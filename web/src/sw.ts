/// <reference lib="webworker" />
/**
 * Keeps the app's own files, so that it opens without a network. Messages and keys never pass through here.
 *
 * A stored response is handed out as it is: one built anew would lose its policy, and a worker without one may eval.
 */

import { listenForNews } from "./sw-news";

declare const __SHELL_VERSION__: string;
declare const __SHELL_FIRST__: readonly string[];
declare const __SHELL_LATER__: readonly string[];

const sw = self as unknown as ServiceWorkerGlobalScope;
const PREFIX = "shell-";
const NAME = PREFIX + __SHELL_VERSION__;
const PAGE = "/index.html";
const FILES: ReadonlySet<string> = new Set([...__SHELL_FIRST__, ...__SHELL_LATER__]);
/** Whoever opens this address is rid of this worker and of all that it keeps; drafts and keys stay (docs/reference/browsers.md). */
const RESET = "/app-reset";
const NOT_OURS = /^\/(?:api|problems|tlog|livez|readyz)(?:\/|$)/;
const HASHED = /^\/(?:assets|workers)\//;

async function keep(paths: readonly string[]): Promise<void> {
  const cache = await caches.open(NAME);
  // Hashed names never change their content; for all others the server is asked, not the HTTP cache.
  await cache.addAll(paths.map((path) => new Request(path, { cache: HASHED.test(path) ? "default" : "no-cache" })));
}

/** What is not needed to start; each by itself, so that one failure does not keep the others away. */
async function keepLater(): Promise<void> {
  const cache = await caches.open(NAME);
  for (const path of __SHELL_LATER__) {
    if ((await cache.match(path)) === undefined) await keep([path]).catch(() => undefined);
  }
}

/** The version before stays: a tab that still runs it may load its parts later. */
async function forgetOldVersions(): Promise<void> {
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX));
  await Promise.all(
    names
      .filter((name) => name !== NAME)
      .slice(0, -1)
      .map((name) => caches.delete(name)),
  );
}

async function stored(path: string): Promise<Response | undefined> {
  const current = await caches.open(NAME);
  return (await current.match(path)) ?? (await caches.match(path));
}

async function answer(request: Request, path: string): Promise<Response> {
  return (await stored(path)) ?? (await fetch(request));
}

/** The address behind it is asked of the server, since nobody answers for it any more. */
async function leave(): Promise<Response> {
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX));
  await Promise.all(names.map((name) => caches.delete(name)));
  await sw.registration.unregister();
  return Response.redirect("/", 302);
}

sw.addEventListener("install", (event) => {
  event.waitUntil(keep(__SHELL_FIRST__));
});

sw.addEventListener("activate", (event) => {
  event.waitUntil(forgetOldVersions().then(() => sw.clients.claim()));
});

sw.addEventListener("message", (event) => {
  if (event.data === "use-new-version") event.waitUntil(sw.skipWaiting());
  if (event.data === "keep-everything") event.waitUntil(keepLater());
});

sw.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== sw.location.origin || NOT_OURS.test(url.pathname)) return;
  if (event.request.mode === "navigate" && url.pathname === RESET) event.respondWith(leave());
  else if (event.request.mode === "navigate") event.respondWith(answer(event.request, PAGE));
  else if (FILES.has(url.pathname) || HASHED.test(url.pathname)) event.respondWith(answer(event.request, url.pathname));
});

listenForNews();
