/** Opens what the server lists: every check of the protocol, unknown senders met, ids remembered. */

import type { CryptoService, Details, OpenedEnvelope } from "../crypto/service";
import { unb64 } from "../protocol/encoding";
import { ProtocolError } from "../protocol/errors";
import type { Api } from "../transfer/http";
import { malformed } from "../transfer/problem";
import { isCode, Refused } from "./failure";
import type { InboxWire, SentWire } from "./letters";
import type { People } from "./people.svelte";
import { SeenIds, type SeenTools } from "./seen";

/** The parts of a house that opening needs. */
export interface OpeningHouse extends SeenTools {
  readonly api: Api;
  readonly crypto: CryptoService;
  readonly people: Pick<People, "meet" | "acctOf">;
  /** Tells whether another device has made new keys, which are known here now. */
  lookForKeys(): Promise<boolean>;
}

export interface OpenedMessage {
  readonly envelope: OpenedEnvelope;
  readonly details: Details;
  /** `details.age`, as the server has it. */
  readonly sealed: Uint8Array<ArrayBuffer>;
}

/** What is refused for want of keys that another device of this account may have made since. */
const NEWER_KEYS = ["envelope-no-match", "wrong-recipient"];

export class Opener {
  readonly #house: OpeningHouse;
  readonly #seen: SeenIds;

  constructor(house: OpeningHouse) {
    this.#house = house;
    this.#seen = new SeenIds(house);
  }

  /** Opens a received message. @throws ProtocolError, Refused, Problem */
  async received(item: InboxWire): Promise<OpenedMessage> {
    const sealed = sealedOf(item);
    const envelope = await this.#open(sealed, item.sender);
    checkId(envelope, item.id);
    const acct = envelope.fields.from?.acct;
    if (envelope.trust === "first" && acct !== undefined) await this.#house.people.meet(acct, envelope.signer);
    return { envelope, ...(await this.#details(envelope)) };
  }

  /** Keeps the ids of what was received. @throws StorageError */
  async keep(): Promise<void> {
    await this.#seen.keep();
  }

  /** Opens the own copy of a sent message. @throws ProtocolError, Refused, Problem */
  async sent(item: SentWire): Promise<OpenedMessage> {
    const envelope = await this.#house.crypto.openOwnCopy(sealedOf(item), Date.now());
    checkId(envelope, item.id);
    return { envelope, ...(await this.#details(envelope)) };
  }

  /** A signer that is not the pinned one may be explained by a succession since; a key that is missing, by another device. */
  async #open(sealed: Uint8Array, sender: string | null): Promise<OpenedEnvelope> {
    const { people } = this.#house;
    try {
      return await this.#seen.opened(sealed);
    } catch (error) {
      if (NEWER_KEYS.some((code) => isCode(error, code)) && (await this.#house.lookForKeys())) {
        return this.#open(sealed, sender);
      }
      if (!isCode(error, "wrong-signer") || sender === null) throw error;
      await people.meet(people.acctOf(sender), null);
      return this.#seen.opened(sealed);
    }
  }

  async #details(envelope: OpenedEnvelope): Promise<Omit<OpenedMessage, "envelope">> {
    const path = { message_id: envelope.fields.id };
    const { data } = await this.#house.api.getOctets("/api/v1/messages/{message_id}/details", { path });
    const { key, details } = envelope.fields;
    return {
      details: await this.#house.crypto.openDetails(data, key, { sha256: details, kind: envelope.kind }),
      sealed: data,
    };
  }
}

/** The code of what makes a message impossible to show, null for what will pass or is not the message's. */
export function refusalOf(error: unknown): string | null {
  return error instanceof ProtocolError || error instanceof Refused ? error.code : null;
}

function sealedOf(item: InboxWire | SentWire): Uint8Array {
  if (item.envelope === null) throw malformed("a message without its envelope");
  try {
    return unb64(item.envelope);
  } catch {
    throw malformed("an envelope");
  }
}

function checkId(envelope: OpenedEnvelope, id: string): void {
  if (envelope.fields.id !== id) throw new Refused("message-mislabelled");
}
