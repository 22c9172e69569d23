// Shards that follow a new state key (docs/protocol/keyring-and-state.md, "A new state key").

import { equalBytes } from "../protocol/encoding";
import { ProtocolError } from "../protocol/errors";
import { SHARD_BYTES } from "../protocol/limits";
import { object } from "../protocol/shape";
import { AgeError, recipientOf, seal, unseal } from "./age";
import { readContainer, readPayload, requireSigner, writePadded } from "./container";
import { ownKeysOf, signingKeyOf, type Keyring } from "./keyring";
import { headShape } from "./shards";

export interface ResealedShard {
  readonly sealed: Uint8Array<ArrayBuffer>;
  readonly rev: number;
}

/**
 * Seals a shard to the present state key, with the next rev. What it holds is not looked at: newer clients have shards that
 * this one does not know. Null: that key opens it already, or none does. @throws ProtocolError shard-…: it is not the account's own
 */
export async function resealShard(sealed: Uint8Array, name: string, keyring: Keyring): Promise<ResealedShard | null> {
  if (sealed.length > SHARD_BYTES) throw new ProtocolError("shard-too-large");
  if ((await unsealed(sealed, [keyring.state])) !== null) return null;
  const plaintext = await unsealed(sealed, keyring.former_states ?? []);
  if (plaintext === null) return null;
  const box = readContainer(plaintext, "state", SHARD_BYTES);
  const signer = requireSigner(box);
  if (!ownKeysOf(keyring).some((key) => equalBytes(key, signer))) throw new ProtocolError("shard-forged");
  const { shard, rev } = readPayload(box, headShape, "shard-malformed");
  if (shard !== name) throw new ProtocolError("shard-swapped");
  const { pad: _, ...content } = readPayload(box, object, "shard-malformed");
  const renewed = writePadded("state", { ...content, rev: rev + 1 }, signingKeyOf(keyring));
  return { sealed: await seal(renewed, [await recipientOf(keyring.state)]), rev: rev + 1 };
}

/** Null: none of these opens it. */
async function unsealed(sealed: Uint8Array, identities: readonly string[]): Promise<Uint8Array | null> {
  for (const identity of identities) {
    try {
      return await unseal(sealed, [identity], { stanzas: 1 });
    } catch (error) {
      if (!(error instanceof AgeError)) throw error;
    }
  }
  return null;
}
