// Passphrases: made of six words, or chosen by a person and then judged (docs/protocol/keys.md, "Passphrase").

import { ProtocolError } from "../protocol/errors";
import { normalisePassphrase } from "./unlock";
import list from "./eff-long-wordlist.txt?raw";

/** The EFF's long list: 7,776 words. */
export const WORDS: readonly string[] = list.trim().split("\n");
/** Six of 7,776 words: 77 bits. */
const COUNT = 6;
const CHOSEN_CHARACTERS = 12;
const DISTINCT_CHARACTERS = 6;
/** The largest multiple of 7,776 below 2^16: what lies above would make the first words likelier. */
const FAIR = Math.floor(0x1_0000 / WORDS.length) * WORDS.length;

/** Makes six words, by the system's randomness, with spaces between. */
export function newPassphrase(): string {
  return Array.from({ length: COUNT }, drawnWord).join(" ");
}

/**
 * Judges a passphrase that a person made up: at least 12 characters, 6 of them different; without the account's name
 * still 12. @throws ProtocolError passphrase-too-short, passphrase-too-simple
 */
export function checkChosen(passphrase: string, name: string): void {
  const plain = normalisePassphrase(passphrase).toLowerCase();
  if (characters(plain) < CHOSEN_CHARACTERS) throw new ProtocolError("passphrase-too-short");
  const without = name ? plain.replaceAll(name.toLowerCase(), "") : plain;
  if (new Set(plain).size < DISTINCT_CHARACTERS || characters(without) < CHOSEN_CHARACTERS) {
    throw new ProtocolError("passphrase-too-simple");
  }
}

function drawnWord(): string {
  const drawn = new Uint16Array(1);
  do crypto.getRandomValues(drawn);
  while ((drawn[0] ?? 0) >= FAIR);
  return WORDS[(drawn[0] ?? 0) % WORDS.length] ?? "";
}

function characters(text: string): number {
  return [...text].length;
}
