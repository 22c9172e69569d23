// Pairing a command line: the address that it shows, and the six words by which both sides are compared
// (docs/protocol/lifecycle.md).

import { sha256 } from "@noble/hashes/sha2.js";
import { utf8 } from "../protocol/encoding";
import { checkX25519Recipient } from "./age";
import { WORDS } from "./passphrase";

const COUNT = 6;
const BITS = 13;

/** Names a recipient (`age1…`): whoever compares six words compares 78 bits of its hash. @throws AgeError bad-key */
export function pairingWords(recipient: string): string[] {
  checkX25519Recipient(recipient);
  const bits = [...sha256(utf8(`restante/1 pair\0${recipient}`))].map((byte) => byte.toString(2).padStart(8, "0"));
  const text = bits.join("");
  return Array.from({ length: COUNT }, (_, at) => {
    const number = Number.parseInt(text.slice(BITS * at, BITS * (at + 1)), 2);
    return WORDS[number % WORDS.length] ?? "";
  });
}
