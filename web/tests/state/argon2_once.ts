/** Stretches each secret with each salt once: a file of many sign-ins to the same account waits for one of them. */

import type * as Argon2 from "../../src/crypto/argon2";

export function onceEach(real: typeof Argon2): typeof Argon2 {
  const known = new Map<string, Promise<Uint8Array>>();
  return {
    ...real,
    argon2id: async (secret, salt) => {
      const key = `${secret.join()} ${salt.join()}`;
      const stretched = known.get(key) ?? real.argon2id(secret, salt);
      known.set(key, stretched);
      return (await stretched).slice(); // whoever asked may wipe theirs
    },
  };
}
