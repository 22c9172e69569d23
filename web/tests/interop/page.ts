// A page that starts the crypto worker as the app does, for tests/protocol/test_web_worker.py.

import { startCrypto } from "../../src/crypto/service";
import { b64, unb64 } from "../../src/protocol/encoding";

/** Stretches by the worker and says what came out: a bearer that the Python library must derive, too. */
async function stretch(passphrase: string, salt: string): Promise<string> {
  const service = startCrypto();
  try {
    return await service.takePassphrase(passphrase, b64(unb64(salt)));
  } finally {
    service.close();
  }
}

/** Starts a worker and leaves it running, for the test to look into. */
async function start(): Promise<string> {
  return (await startCrypto().makeAccount({ acct: "ann@post.example", passphrase: null, nowMs: 0 })).account.acct;
}

Object.assign(globalThis, { stretch, start });
