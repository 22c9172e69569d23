// Proof of work before somebody without an account may leave a message: ALTCHA 2 with PBKDF2. Ours is forty lines, and the
// browser's own PBKDF2 does all the work; the library draws a widget that we have no use for (docs/dependencies.md).

const NEVER_AFTER = 100_000;

/** As the server gives it: what is signed goes back as it came. */
export interface Challenge {
  readonly parameters: ProofParameters;
  readonly signature: string;
}

/** Of the parameters, what solving needs; all but the numbers in hex. */
export interface ProofParameters {
  readonly nonce: string;
  readonly salt: string;
  readonly keyPrefix: string;
  readonly keyLength: number;
  /** Rounds of PBKDF2. */
  readonly cost: number;
}

/** Tries one counter after the other; null when there was no end to it within the time. Gives ALTCHA's payload. */
export async function solveProof(challenge: Challenge, limitMs: number): Promise<string | null> {
  const { nonce, salt, keyPrefix, keyLength, cost } = challenge.parameters;
  const password = new Uint8Array([...ofHex(nonce), 0, 0, 0, 0]);
  const place = new DataView(password.buffer, password.length - 4);
  const rounds = { name: "PBKDF2", hash: "SHA-256", salt: ofHex(salt), iterations: cost };
  const begun = performance.now();
  for (let counter = 0; counter < NEVER_AFTER && performance.now() - begun < limitMs; counter += 1) {
    place.setUint32(0, counter);
    const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
    const derivedKey = hex(new Uint8Array(await crypto.subtle.deriveBits(rounds, key, keyLength * 8)));
    if (!derivedKey.startsWith(keyPrefix.toLowerCase())) continue;
    const solution = { counter, derivedKey, time: Math.round(performance.now() - begun) };
    return btoa(JSON.stringify({ challenge, solution }));
  }
  return null;
}

function ofHex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
