// Ways in as they are made: what the keyring names, and what opens it.

import { newId, randomBytes } from "../protocol/ids";
import { newMethod, type Method } from "./keyring";
import { readRecoveryCode } from "./recovery";
import { passphraseAccess, SALT_BYTES, unlockAccess, type Access } from "./unlock";

export interface NewWay extends Access {
  readonly method: Method;
  /** Of a passphrase. */
  readonly salt: Uint8Array | null;
}

export async function wordsWay(passphrase: string, nowMs: number): Promise<NewWay> {
  const salt = randomBytes(SALT_BYTES);
  const access = await passphraseAccess(passphrase, salt);
  const named = { mid: newId("mth"), label: "passphrase", nowMs };
  return { ...access, method: await newMethod("passphrase", access.identity, named), salt };
}

/** `code` as it is written down. @throws ProtocolError recovery-code-malformed, recovery-code-typo */
export async function codeWay(code: string, nowMs: number): Promise<NewWay> {
  const access = unlockAccess(readRecoveryCode(code));
  const named = { mid: newId("mth"), label: "recovery", nowMs };
  return { ...access, method: await newMethod("recovery", access.identity, named), salt: null };
}

/** Wipes what the passkey gave. */
export async function passkeyWay(
  prf: Uint8Array,
  named: { mid: string; label: string; nowMs: number },
): Promise<NewWay> {
  const access = unlockAccess(prf);
  prf.fill(0);
  return { ...access, method: await newMethod("passkey", access.identity, named), salt: null };
}
