/** The address that a command line shows: what stands behind its # is taken out of the bar at once. */

export interface PairingLink {
  /** By which the server knows the machine. */
  readonly lookup: string;
  /** The machine's public key; the server never sees it. */
  readonly recipient: string;
}

const FORM = /^#?([a-z2-7]{16})\.(age1[a-z0-9]{58})$/;

/** Null for what is no such link. */
export function readPairingLink(fragment: string): PairingLink | null {
  const [, lookup, recipient] = FORM.exec(fragment) ?? [];
  return lookup === undefined || recipient === undefined ? null : { lookup, recipient };
}
