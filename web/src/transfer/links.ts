/** Guest links over HTTP: a guest shows the link's bearer, then the token of a view; an owner is signed in. */

import type { components } from "../protocol/api";
import type { Api } from "./http";
import { malformed } from "./problem";
import { rangedVideo, type RangedVideo, type RangesOptions } from "./ranges";
import { wholeOf } from "./whole";

/** One counted open. */
export type LinkView = components["schemas"]["LinkView"];
/** A link as its owner sees it. */
export type OwnLink = components["schemas"]["Link"];
/** What is asked for, and the envelope that only the link opens; all base64url. */
export type WantedLink = components["schemas"]["AddLink"];

const MOST_BYTES = 256 * 1024;
const LIMIT_MS = 30_000;

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
    const extras = { path: { link_id: this.#id }, headers: authorized(bearer) };
    const view = await this.#api.post("/api/v1/links/{link_id}/opens", undefined, extras);
    if (typeof view.token !== "string" || typeof view.until !== "number") throw malformed("a view");
    return view;
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

/** Makes a link to a message that one sent. @throws Problem */
export async function makeLink(api: Api, message: string, link: WantedLink): Promise<OwnLink> {
  return checked(await api.post("/api/v1/messages/{message_id}/links", link, { path: { message_id: message } }));
}

/** One's links, the newest first. @throws Problem */
export async function listLinks(api: Api): Promise<readonly OwnLink[]> {
  const { items } = await api.get("/api/v1/links");
  if (!Array.isArray(items)) throw malformed("a list of links");
  return items.map(checked);
}

/** Takes a link back, also from those who are watching. @throws Problem */
export async function revokeLink(api: Api, id: string): Promise<void> {
  await api.delete("/api/v1/links/{link_id}", { path: { link_id: id } });
}

function checked(link: OwnLink): OwnLink {
  if (typeof link.id !== "string" || typeof link.opens !== "number") throw malformed("a link");
  return link;
}

const authorized = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
