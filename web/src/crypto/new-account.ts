// An account as it is made: keys, a recovery code and, unless a passkey is to unlock it, a passphrase.

import { b64 } from "../protocol/encoding";
import { nameOf } from "../protocol/names";
import { newKeyring, type Keyring } from "./keyring";
import { codeWay, wordsWay } from "./new-ways";
import { checkChosen, newPassphrase } from "./passphrase";
import { newRecoveryCode, writeRecoveryCode } from "./recovery";
import type { NewAccount, WantedAccount } from "./session-views";

export interface MadeAccount extends Pick<NewAccount, "unlock" | "passphrase" | "recoveryCode"> {
  readonly keyring: Keyring;
  /** Opens the keyring. */
  readonly identity: string;
}

/** @throws ProtocolError passphrase-too-short, passphrase-too-simple */
export async function newAccount({ acct, nowMs, ...wanted }: WantedAccount): Promise<MadeAccount> {
  if (wanted.passphrase !== null) checkChosen(wanted.passphrase, nameOf(acct));
  const passphrase = wanted.byPasskey ? "" : (wanted.passphrase ?? newPassphrase());
  const recoveryCode = writeRecoveryCode(newRecoveryCode());
  const code = await codeWay(recoveryCode, nowMs);
  const words = passphrase === "" ? null : await wordsWay(passphrase, nowMs);
  const forWords = words?.salt && { type: "passphrase" as const, bearer: b64(words.bearer), salt: b64(words.salt) };
  const forCode = { type: "recovery" as const, bearer: b64(code.bearer), salt: null };
  return {
    keyring: { ...newKeyring(acct, nowMs), unlock: words ? [words.method, code.method] : [code.method] },
    identity: (words ?? code).identity,
    unlock: forWords ? [forWords, forCode] : [forCode],
    passphrase,
    recoveryCode,
  };
}
