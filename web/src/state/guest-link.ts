/** The address of a guest link: what stands behind its # opens the video and is taken out of the bar at once. */

import { unb64 } from "../protocol/encoding";

const FORM = /^#([A-Za-z0-9_-]{43})$/;

/** The 32 bytes of the secret; null for what is no whole link. */
export function readGuestSecret(fragment: string): Uint8Array<ArrayBuffer> | null {
  const [, secret] = FORM.exec(fragment) ?? [];
  try {
    return secret === undefined ? null : unb64(secret);
  } catch {
    return null;
  }
}

export function guestAddress(origin: string, id: string, secret: string): string {
  return `${origin}/m/${encodeURIComponent(id)}#${secret}`;
}
