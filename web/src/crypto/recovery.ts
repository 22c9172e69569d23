// The recovery code: 20 random bytes as eight groups of four symbols and a check symbol (docs/protocol/keys.md).
//
// Symbols are Crockford's base 32, no I, L, O, U; the check symbol is the number modulo 37, so that every single wrong
// symbol and every swap of neighbours is noticed.

import { ProtocolError } from "../protocol/errors";
import { randomBytes } from "../protocol/ids";

const CODE_BYTES = 20;
const SYMBOLS = 32;
const GROUP = 4;
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CHECK_ALPHABET = `${ALPHABET}*~$=U`;

export function newRecoveryCode(): Uint8Array {
  return randomBytes(CODE_BYTES);
}

/** Writes the code as it is shown and printed: `XXXX-XXXX-…-XXXX-C`, nine groups joined by hyphens. */
export function writeRecoveryCode(code: Uint8Array): string {
  const number = numberOf(code);
  const symbols = Array.from({ length: SYMBOLS }, (_, place) =>
    ALPHABET.charAt(Number((number >> BigInt(5 * (SYMBOLS - 1 - place))) & 31n)),
  ).join("");
  return [...recoveryGroups(symbols), checkSymbol(number)].join("-");
}

/** Returns the groups of a written code, for showing them apart and asking for two of them. */
export function recoveryGroups(written: string): string[] {
  return written.replaceAll("-", "").match(new RegExp(`.{1,${GROUP}}`, "g")) ?? [];
}

/** Tells whether a person typed this group, in any case and with look-alikes. */
export function isSameGroup(typed: string, group: string): boolean {
  return forgiven(typed) === group;
}

/**
 * Reads what a person typed: any case, I and L for 1, O for 0, spaces and hyphens anywhere.
 * @throws ProtocolError recovery-code-malformed; recovery-code-typo, when the check symbol does not fit
 */
export function readRecoveryCode(typed: string): Uint8Array {
  const symbols = forgiven(typed);
  if (symbols.length !== SYMBOLS + 1) throw new ProtocolError("recovery-code-malformed");
  let number = 0n;
  for (const symbol of symbols.slice(0, -1)) {
    const value = ALPHABET.indexOf(symbol);
    if (value < 0) throw new ProtocolError("recovery-code-malformed");
    number = (number << 5n) | BigInt(value);
  }
  const check = symbols.slice(-1);
  if (!CHECK_ALPHABET.includes(check)) throw new ProtocolError("recovery-code-malformed");
  if (check !== checkSymbol(number)) throw new ProtocolError("recovery-code-typo");
  return Uint8Array.from({ length: CODE_BYTES }, (_, at) =>
    Number((number >> BigInt(8 * (CODE_BYTES - 1 - at))) & 255n),
  );
}

function forgiven(typed: string): string {
  return typed.replace(/[\s-]/g, "").toUpperCase().replace(/[IL]/g, "1").replaceAll("O", "0");
}

function checkSymbol(number: bigint): string {
  return CHECK_ALPHABET.charAt(Number(number % BigInt(CHECK_ALPHABET.length)));
}

function numberOf(bytes: Uint8Array): bigint {
  return bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
}
