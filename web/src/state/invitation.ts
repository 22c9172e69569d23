/** Links that add somebody, with the fingerprint of their signing key in the fragment (docs/protocol/links.md). */

export interface Invitation {
  /** `ann@post.example` */
  readonly acct: string;
  readonly fp: string;
}

const FRAGMENT = /^fp\.([\w-]{22})$/;

/** Writes the link by which others add an account. */
export function invitationLink(origin: string, { acct, fp }: Invitation): string {
  return `${origin}/add/${acct}#fp.${fp}`;
}

/** The fingerprint in a link's fragment, without its #; null: there is none, or not all of it. */
export function namedFingerprint(fragment: string): string | null {
  return FRAGMENT.exec(fragment)?.[1] ?? null;
}
