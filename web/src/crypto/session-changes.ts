import { b64, unb64, utf8 } from "../protocol/encoding";
import { ProtocolError } from "../protocol/errors";
import { checkX25519Recipient, newX25519Identity } from "./age";
import { newDevice, newEncryptionIdentity, type Keyring } from "./keyring";
import {
  relabelled,
  resealed,
  withDevice,
  withEncryptionIdentity,
  withMethod,
  withOnly,
  withStateKey,
  withoutDevice,
  withoutFormerStates,
  withoutMethod,
  withSigningKey,
} from "./keyring-changes";
import { codeWay, passkeyWay, wordsWay, type NewWay } from "./new-ways";
import type { KeyringChange, SealedKeyring } from "./session-views";
import { fp, newSigningKey } from "./signing";
import { SALT_BYTES } from "./unlock";

export interface Changed {
  readonly keyring: Keyring;
  /** Of a new way in. */
  readonly way?: NewWay;
}
type WayChange = Extract<KeyringChange, { kind: "set-passphrase" | "set-recovery" | "add-passkey" }>;

/**
 * Applies one change; the result has the next rev. `claimPrf` gives what the new passkey proved.
 * @throws ProtocolError recovery-code-…
 */
export async function changed(keyring: Keyring, change: KeyringChange, claimPrf: () => Uint8Array): Promise<Changed> {
  switch (change.kind) {
    case "set-passphrase":
    case "set-recovery":
    case "add-passkey": {
      const way = await wayOf(change, claimPrf);
      return { keyring: (change.kind === "add-passkey" ? withMethod : withOnly)(keyring, way.method), way };
    }
    default:
      return { keyring: await changedOtherwise(keyring, change) };
  }
}

/** What the server is told of a new way in. */
export function toldOf(way: NewWay | undefined): Pick<SealedKeyring, "bearer" | "salt"> {
  return { bearer: way ? b64(way.bearer) : null, salt: way?.salt ? b64(way.salt) : null };
}

function wayOf(change: WayChange, claimPrf: () => Uint8Array): Promise<NewWay> {
  switch (change.kind) {
    case "set-passphrase":
      return wordsWay(change.passphrase, change.nowMs);
    case "set-recovery":
      return codeWay(change.code, change.nowMs);
    case "add-passkey":
      return passkeyWay(claimPrf(), change);
  }
}

async function changedOtherwise(keyring: Keyring, change: Exclude<KeyringChange, WayChange>): Promise<Keyring> {
  switch (change.kind) {
    case "add-device":
      return withDevice(keyring, await newDevice(change.did, change.identity, change.label, change.nowMs));
    case "drop-device":
      return withoutDevice(keyring, change.did);
    case "pair-device": {
      checkX25519Recipient(change.recipient);
      const { did, label, recipient, nowMs } = change;
      return withDevice(keyring, { did, label, recipient, created: nowMs });
    }
    case "rename-method":
      return relabelled(keyring, change.mid, change.label);
    case "drop-method":
      return withoutMethod(keyring, change.mid);
    case "reseal":
      return resealed(keyring);
    case "rotate":
      return withEncryptionIdentity(keyring, newEncryptionIdentity(change.nowMs));
    case "rotate-signing":
      return { ...rotatedSigning(keyring, change.nowMs), rev: keyring.rev + 1 };
    case "forget-states":
      return withoutFormerStates(keyring, (state) => change.states.includes(nameOfState(state)));
    case "shut-out":
      return shutOut(keyring, change.keep, change.nowMs);
  }
}

/** How a page names a state key that it may not know. */
export function nameOfState(state: string): string {
  return fp(utf8(state));
}

/** The state key goes with it: whoever had the old keyring reads nothing that is written from then on. */
function rotatedSigning(keyring: Keyring, nowMs: number): Keyring {
  return withStateKey(withSigningKey(keyring, newSigningKey(), nowMs), newX25519Identity());
}

/** All keys are new, and only this device is left: in one change, so that nothing can come between. */
function shutOut(keyring: Keyring, keep: string | null, nowMs: number): Keyring {
  const alone = { ...keyring, devices: keyring.devices.filter((device) => device.did === keep) };
  const rotated = rotatedSigning(alone, nowMs);
  return { ...withEncryptionIdentity(rotated, newEncryptionIdentity(nowMs)), rev: keyring.rev + 1 };
}

/** Reads a salt that the server gave. @throws ProtocolError salt-malformed */
export function salted(salt: string): Uint8Array {
  try {
    return unb64(salt, SALT_BYTES);
  } catch {
    throw new ProtocolError("salt-malformed");
  }
}
