/** Guest links over HTTP: a guest shows the link's bearer, then the token of a view; an owner is signed in. */

import type { Api } from "./http";
import { malformed } from "./problem";
import { rangedVideo, type RangedVideo, type RangesOptions } from "./ranges";
import { wholeOf } from "./whole";

/** One counted open. */
export interface LinkView {
  readonly token: string;
  /** Unix milliseconds. */
  readonly until: number;
  readonly maySave: boolean;
}

/** A link as its owner sees it. */
export interface OwnLink {
  readonly id: string;
  readonly message: string;
  readonly state: "open" | "expired" | "used-up" | "revoked" | "gone";
  readonly expiresAt: number | null;
  readonly mostOpens: number | null;
  readonly opens: number;
}

export interface NewLink {
  /** base64url. */
  readonly bearerSha256: string;
  readonly envelope: string;
  readonly expiresAt: number | null;
  readonly mostOpens: number | null;
  readonly maySave: boolean;
}

const MOST_BYTES = 256 * 1024;
const LIMIT_MS = 30_000;

interface Wire {
  readonly id: string;
  readonly message: string;
  readonly state: OwnLink["state"];
  readonly expires_at: number | null;
  readonly most_opens: number | null;
  readonly opens: number;
}

/** What a guest may ask for, one link. */
export class GuestLink {
  readonly #api: Api;
  readonly #id: string;

  constructor(api: Api, id: string) {
    this.#api = api;
    this.#id = id;
  }

  /** Counts nothing. @throws Problem link-gone, not-found */
  async envelope(bearer: string): Promise<Uint8Array<ArrayBuffer>> {
    return this.#octets("envelope", bearer);
  }

  /** Counts one open. @throws Problem link-gone */
  async open(bearer: string): Promise<LinkView> {
    const response = await this.#asked("POST", "opens", bearer);
    const view = (await response.json()) as { token?: unknown; until?: unknown; may_save?: unknown };
    if (typeof view.token !== "string" || typeof view.until !== "number") throw malformed("a view");
    return { token: view.token, until: view.until, maySave: view.may_save === true };
  }

  async details(token: string): Promise<Uint8Array<ArrayBuffer>> {
    return this.#octets("details", token);
  }

  video(size: number, token: string, options: RangesOptions): RangedVideo {
    const shown = async (input: string, init: RequestInit): Promise<Response> =>
      fetch(input, { ...init, headers: { ...(init.headers as Record<string, string>), ...authorized(token) } });
    return rangedVideo(this.#id, size, { ...options, fetch: shown }, "links");
  }

  async #octets(what: string, token: string): Promise<Uint8Array<ArrayBuffer>> {
    const whole = await wholeOf(await this.#asked("GET", what, token), MOST_BYTES);
    if (whole === null) throw malformed("more than a message is");
    return whole;
  }

  async #asked(method: string, what: string, token: string): Promise<Response> {
    const url = `/api/v1/links/${encodeURIComponent(this.#id)}/${what}`;
    return this.#api.request(method, url, { headers: authorized(token), signal: AbortSignal.timeout(LIMIT_MS) });
  }
}

/** Makes a link to a message that one sent; gives its id. @throws Problem */
export async function makeLink(api: Api, message: string, link: NewLink): Promise<OwnLink> {
  const { bearerSha256, envelope, expiresAt, mostOpens, maySave } = link;
  const wish = { expires_at: expiresAt, most_opens: mostOpens, may_save: maySave, may_answer: false };
  const response = await api.request("POST", `/api/v1/messages/${encodeURIComponent(message)}/links`, {
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ bearer_sha256: bearerSha256, envelope, ...wish }),
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  return ownLink((await response.json()) as Wire);
}

/** One's links, the newest first. @throws Problem */
export async function listLinks(api: Api): Promise<OwnLink[]> {
  const response = await api.request("GET", "/api/v1/links", { signal: AbortSignal.timeout(LIMIT_MS) });
  const { items } = (await response.json()) as { items?: readonly Wire[] };
  if (!Array.isArray(items)) throw malformed("a list of links");
  return (items as readonly Wire[]).map(ownLink);
}

/** Takes a link back, also from those who are watching. @throws Problem */
export async function revokeLink(api: Api, id: string): Promise<void> {
  await api.request("DELETE", `/api/v1/links/${encodeURIComponent(id)}`, { signal: AbortSignal.timeout(LIMIT_MS) });
}

function ownLink({ id, message, state, expires_at: expiresAt, most_opens: mostOpens, opens }: Wire): OwnLink {
  if (typeof id !== "string" || typeof opens !== "number") throw malformed("a link");
  return { id, message, state, expiresAt, mostOpens, opens };
}

const authorized = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
