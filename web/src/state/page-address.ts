/** The address of an answering page: what stands behind its # says whose key it is, and opens greeting and note. */

import { unb64 } from "../protocol/encoding";

const FORM = /^#([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{22})$/;
const SECRET_BYTES = 16;

export interface PageSecret {
  /** Of the owner's signing key. */
  readonly fp: string;
  readonly secret: Uint8Array<ArrayBuffer>;
}

/** What the fragment says; null: there is none; `cut`: it is not whole. */
export function readPageFragment(fragment: string): PageSecret | null | "cut" {
  if (fragment === "" || fragment === "#") return null;
  const [, fp = "", secret = ""] = FORM.exec(fragment) ?? [];
  try {
    return fp === "" ? "cut" : { fp, secret: unb64(secret, SECRET_BYTES) };
  } catch {
    return "cut";
  }
}

export function pageAddress(origin: string, name: string, { fp, secret }: { fp: string; secret: string }): string {
  return `${origin}/@${name}#${fp}.${secret}`;
}
