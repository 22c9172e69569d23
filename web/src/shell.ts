import { scriptUrl } from "./protocol/trusted";

/** A newer version of the app lies ready; `use` starts it, and the page loads anew. */
export type NewVersion = { use(): void };

/** Only the tab that asked loads anew: another one may be recording, and its parts of the old version stay stored. */
function use(worker: ServiceWorker): void {
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  worker.postMessage("use-new-version");
}

function whenReady(registration: ServiceWorkerRegistration, tell: (version: NewVersion) => void): void {
  const offer = (worker: ServiceWorker): void => {
    if (worker.state !== "installed" || navigator.serviceWorker.controller === null) return;
    tell({ use: () => use(worker) });
  };
  if (registration.waiting !== null) offer(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const worker = registration.installing;
    worker?.addEventListener("statechange", () => offer(worker));
  });
}

/** Makes the app start without a network from its next start on, and tells when a newer version lies ready. */
export async function keepShell(onNewVersion: (version: NewVersion) => void): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  const registration = await navigator.serviceWorker.register(scriptUrl("/sw.js"), {
    scope: "/",
    updateViaCache: "none",
  });
  whenReady(registration, onNewVersion);
  const { active } = await navigator.serviceWorker.ready;
  active?.postMessage("keep-everything");
}
