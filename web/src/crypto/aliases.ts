// Aliases: an account goes on under another address, by the same signing key (docs/protocol/account-record.md).

import { b64, equalBytes, unb64 } from "../protocol/encoding";
import { ALIAS_BYTES } from "../protocol/limits";
import { isAcct } from "../protocol/names";
import { struct, text } from "../protocol/shape";
import { readContainer, readPayload } from "./container";

const aliasShape = struct({ old: text(), new: text(), sign: text() });

export interface Alias {
  readonly old: string;
  readonly new: string;
}

/** Reads an alias in base64url that this key signed. Null for whatever else it is: a bad alias says nothing. */
export function readAlias(encoded: unknown, sign: Uint8Array): Alias | null {
  if (typeof encoded !== "string") return null;
  try {
    const box = readContainer(unb64(encoded), "alias", ALIAS_BYTES);
    const alias = readPayload(box, aliasShape);
    const isMove = isAcct(alias.old) && isAcct(alias.new) && alias.old !== alias.new;
    const isSigned = box.signer !== null && equalBytes(box.signer, sign) && alias.sign === b64(sign);
    return isSigned && isMove ? { old: alias.old, new: alias.new } : null;
  } catch {
    return null;
  }
}

/** One's earlier addresses, by what stands in the setting `aliases`, each proved by one's own key. */
export function ownAliases(setting: unknown, acct: string, keys: readonly Uint8Array[]): string[] {
  if (typeof setting !== "string") return [];
  const found = setting.split(" ").flatMap((each) => keys.map((key) => readAlias(each, key)));
  return found.flatMap((alias) => (alias !== null && [alias.old, alias.new].includes(acct) ? [alias.old] : []));
}
