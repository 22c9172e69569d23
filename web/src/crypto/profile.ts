// What an answering page says, sealed to those who have its link (docs/protocol/links.md, "Answering page").

import { b64, equalBytes } from "../protocol/encoding";
import { ProtocolError } from "../protocol/errors";
import { isId } from "../protocol/ids";
import { NOTE_CHARS, PROFILE_BYTES } from "../protocol/limits";
import { integer, optional, struct, text, type Shaped } from "../protocol/shape";
import { AgeError, recipientOf, seal, unseal } from "./age";
import { readContainer, readPayload, writePadded } from "./container";
import type { SigningKey } from "./signing";

const profileShape = struct({
  acct: text(),
  created: integer(),
  greeting: optional(text()),
  note: optional(text(NOTE_CHARS)),
});

/** `greeting` is the id of the message with the greeting. */
export type Profile = Shaped<typeof profileShape>;

/** Seals for those who have the page's link; gives base64url. */
export async function sealProfile(profile: Profile, identity: string, key: SigningKey): Promise<string> {
  return b64(await seal(writePadded("profile", profile, key), [await recipientOf(identity)]));
}

/** Opens a page's profile, signed by one of the owner's `keys`. @throws ProtocolError page-damaged, wrong-signer, … */
export async function openProfile(
  sealed: Uint8Array,
  identity: string,
  owner: { acct: string; keys: readonly Uint8Array[] },
): Promise<Profile> {
  const box = readContainer(await decrypted(sealed, identity), "profile", PROFILE_BYTES);
  const { signer } = box;
  if (signer === null || !owner.keys.some((key) => equalBytes(key, signer))) throw new ProtocolError("wrong-signer");
  const profile = readPayload(box, profileShape);
  if (profile.acct !== owner.acct) throw new ProtocolError("wrong-signer");
  if (profile.greeting !== undefined && !isId(profile.greeting, "msg"))
    throw new ProtocolError("payload-malformed", "greeting");
  return profile;
}

async function decrypted(sealed: Uint8Array, identity: string): Promise<Uint8Array> {
  if (sealed.length > PROFILE_BYTES) throw new ProtocolError("page-damaged");
  try {
    return await unseal(sealed, [identity], { stanzas: 1 });
  } catch (error) {
    if (!(error instanceof AgeError)) throw error;
    throw new ProtocolError("page-damaged", error.message);
  }
}
