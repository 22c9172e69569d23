/** Makes the private key of a trusted browser: X25519, never to be exported. */
export async function generateKeyPair(): Promise<CryptoKey> {
  const pair = (await crypto.subtle.generateKey({ name: "X25519" }, false, ["deriveBits"])) as CryptoKeyPair;
  return pair.privateKey;
}
