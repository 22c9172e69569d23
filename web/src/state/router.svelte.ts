/** The address of the page and its history. Which screen an address names is known further up. */

/** Addresses of links whose secret, proof or fingerprint stands in the fragment. */
const CARRIES_FRAGMENT = /^\/(?:add|pair|operator\/link|settings\/identity)(?:\/|$)/;

export class Router {
  #path = $state(location.pathname);
  #query = $state.raw(new URLSearchParams(location.search));
  #isHeld: (() => boolean) | null = $state.raw(null);
  #fragment: { path: string; text: string } | null = $state.raw(null);
  readonly #closed = new AbortController();

  constructor() {
    this.#takeFragment();
    const { signal } = this.#closed;
    addEventListener("popstate", () => this.#moved(), { signal });
    addEventListener("hashchange", () => this.#takeFragment(), { signal });
  }

  /** What stood behind the # of the link to this address, without it; it outlives a sign-in, but not a new page. */
  fragmentOf(path: string): string {
    return this.#fragment?.path === path ? this.#fragment.text : "";
  }

  get path(): string {
    return this.#path;
  }

  get query(): URLSearchParams {
    return this.#query;
  }

  /** Whether the person must stay: a take runs. */
  get isHeld(): boolean {
    return this.#isHeld?.() ?? false;
  }

  /** Goes to an address of this app. */
  readonly go = (target: string): void => this.#change(target, "pushState");

  /** Goes there in the place of this one, so that the way back does not lead here. */
  readonly replace = (target: string): void => this.#change(target, "replaceState");

  /** Back to where the person came from, or to `otherwise` when they came from outside. */
  back(otherwise: string): void {
    if (this.isHeld) return;
    if ((history.state as { isOurs?: boolean } | null)?.isOurs === true) history.back();
    else this.replace(otherwise);
  }

  /** While `isHeld` says so, the browser's way back does not leave the screen. Returns how to let go. */
  hold(isHeld: () => boolean): () => void {
    this.#isHeld = isHeld;
    return () => {
      if (this.#isHeld === isHeld) this.#isHeld = null;
    };
  }

  close(): void {
    this.#closed.abort();
  }

  #change(target: string, how: "pushState" | "replaceState"): void {
    const { pathname, search } = new URL(target, location.origin);
    const isHere = pathname === this.#path && search === location.search;
    if (isHere) return;
    const isOurs = how === "pushState" || (history.state as { isOurs?: boolean } | null)?.isOurs === true;
    history[how]({ isOurs }, "", pathname + search);
    this.#read();
  }

  /** A link's fragment is not for eyes, history or bookmarks: out of the address bar at once. */
  #takeFragment(): void {
    const { pathname, search, hash } = location;
    if (!CARRIES_FRAGMENT.test(pathname) || hash === "") return;
    this.#fragment = { path: pathname, text: hash.slice(1) };
    history.replaceState(history.state, "", pathname + search);
  }

  #moved(): void {
    if (this.isHeld) {
      const query = this.#query.size === 0 ? "" : `?${this.#query}`;
      history.pushState({ isOurs: true }, "", this.#path + query);
      return;
    }
    this.#read();
  }

  #read(): void {
    this.#path = location.pathname;
    this.#query = new URLSearchParams(location.search);
  }
}
