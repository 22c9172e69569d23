// What a page is shown of an unlocked keyring: no secret of it.

import { b64 } from "../protocol/encoding";
import { checkNotRolledBack, signingKeyOf, type Keyring } from "./keyring";
import { nameOfState } from "./session-changes";
import type { AccountView } from "./session-views";
import { fp } from "./signing";

export function viewOf(keyring: Keyring, highestRev: number): AccountView {
  const key = signingKeyOf(keyring).public;
  return {
    acct: keyring.acct,
    sign: b64(key),
    fp: fp(key),
    rev: keyring.rev,
    methods: keyring.unlock.map(({ mid, type, label, created }) => ({ mid, type, label, created })),
    devices: keyring.devices.map(({ did, label, created }) => ({ did, label, created })),
    sealingSince: Math.max(...keyring.enc.filter(({ retired }) => !retired).map(({ from }) => from)),
    retired: keyring.enc.filter(({ retired }) => retired).length,
    formerStates: (keyring.former_states ?? []).map(nameOfState),
    formerKeys: keyring.successions?.length ?? 0,
    isRolledBack: isRolledBack(keyring, highestRev),
  };
}

function isRolledBack(keyring: Keyring, highestRev: number): boolean {
  try {
    checkNotRolledBack(keyring, highestRev);
    return false;
  } catch {
    return true;
  }
}
