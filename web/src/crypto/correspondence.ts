// The messages of one unlocked account: opened by all that is known, sealed for those whose records were checked, confirmed.

import { b64, unb64 } from "../protocol/encoding";
import { ProtocolError } from "../protocol/errors";
import { nameOf } from "../protocol/names";
import { ownAliases } from "./aliases";
import { readRecord, type AccountRecord } from "./account";
import type { Contact } from "./contacts";
import { sealForward, type EnvelopeFields } from "./envelopes";
import { mayForward } from "./forwarding";
import { identitiesOf, ownKeysOf, signingKeyOf, type Keyring } from "./keyring";
import { composeMessage, type ComposedMessage, type NewMessage } from "./message";
import type { Pin } from "./pins";
import { checkReceipt, writeReceipt, type ReceiptKind } from "./receipts";
import { openEnvelope, openOwnCopy, type OpenedEnvelope } from "./receiving";
import type { CheckedReceipt, GivenReceipt, ReceivedEnvelope, Receivable, SentMessage } from "./session-views";
import type { ShardBook } from "./shard-book";

interface Owner {
  /** @throws ProtocolError keyring-no-match */
  readonly keyring: () => Keyring;
  readonly book: () => ShardBook;
}

export class Correspondence {
  /** Of senders that are still to be met: remembered as received only when they are. */
  #unmet: OpenedEnvelope[] = [];

  constructor(private readonly owner: Owner) {}

  async openEnvelope(sealed: Uint8Array, nowMs: number): Promise<ReceivedEnvelope> {
    const contacts = this.known();
    const book = this.owner.book();
    const opened = await openEnvelope(sealed, {
      ...this.#receiver(),
      pinned: (acct) => contacts.get(acct)?.pin,
      seen: (id, month) => book.digest(id, month),
      nowMs,
    });
    const unread = book.unread(opened.seenShard);
    if (unread.length === 0 && opened.trust === "first") this.#unmet.push(opened);
    else if (unread.length === 0) this.#remember(opened);
    return { ...opened, unread };
  }

  openOwnCopy(sealed: Uint8Array, nowMs: number): Promise<OpenedEnvelope> {
    return openOwnCopy(sealed, { ...this.#receiver(), nowMs });
  }

  async compose(wanted: NewMessage, records: readonly Uint8Array[]): Promise<ComposedMessage> {
    return composeMessage(this.owner.keyring(), wanted, this.#checked(records));
  }

  /** By name of the recipient, base64url. @throws ProtocolError forward-not-allowed */
  async forward(
    sealed: Uint8Array,
    name: string,
    records: readonly Uint8Array[],
    nowMs: number,
  ): Promise<Record<string, string>> {
    const { fields, container } = await this.openEnvelope(sealed, nowMs);
    if (!mayForward(fields)) throw new ProtocolError("forward-not-allowed");
    const keyring = this.owner.keyring();
    const sender = { acct: keyring.acct, name, key: signingKeyOf(keyring) };
    const envelopes: Record<string, string> = {};
    for (const record of this.#checked(records))
      envelopes[nameOf(record.acct)] = b64(await sealForward(fields, container, sender, record, nowMs));
    return envelopes;
  }

  writeReceipt({ id, details, from, signer }: Receivable, kind: ReceiptKind, nowMs: number): string | null {
    const keyring = this.owner.keyring();
    const fields = { id, details, from: { acct: from } } as EnvelopeFields;
    const how = { kind, me: keyring.acct, signer: unb64(signer, 32), key: signingKeyOf(keyring), nowMs };
    return writeReceipt(fields, how);
  }

  checkReceipts(
    { id, details, sentTo }: SentMessage,
    given: readonly GivenReceipt[],
    nowMs: number,
  ): readonly CheckedReceipt[] {
    const keyring = this.owner.keyring();
    const of = { id, details, to: { acct: keyring.acct }, sent_to: sentTo };
    const myKeys = ownKeysOf(keyring);
    return given.map(({ by, kind, raw }) => {
      try {
        return { code: null, at: checkReceipt(raw, { kind, of, by, keys: this.#keysOf(by), myKeys, nowMs }).at };
      } catch (error) {
        if (error instanceof ProtocolError) return { code: error.code, at: 0 };
        throw error;
      }
    });
  }

  /** The contacts, once they were looked for. */
  known(): ReadonlyMap<string, Contact> {
    const book = this.owner.book();
    if (!book.knows("contacts")) throw new Error("take the shard contacts first, or say that there is none");
    return book.contacts.contacts;
  }

  /** Remembers what somebody sent who was met just now, by the keys that signed it. */
  rememberOf(pin: Pin): void {
    const keys = [pin.sign, ...pin.former];
    const isTheirs = ({ signer }: OpenedEnvelope) => signer !== null && keys.includes(b64(signer));
    this.#unmet.filter(isTheirs).forEach((opened) => this.#remember(opened));
    this.#unmet = this.#unmet.filter((opened) => !isTheirs(opened));
  }

  /** The pinned signing key of an account, or one's own. @throws ProtocolError wrong-signer: it was never met */
  pinned(acct: string): Uint8Array {
    const keyring = this.owner.keyring();
    if (acct === keyring.acct) return signingKeyOf(keyring).public;
    const pin = this.#pinOf(acct);
    if (!pin) throw new ProtocolError("wrong-signer", "an account that was never met");
    return unb64(pin.sign, 32);
  }

  /** @throws ProtocolError safety-number-changed, record-rollback: it is not the record that was checked */
  #checked(records: readonly Uint8Array[]): AccountRecord[] {
    const checked = records.map(readRecord);
    for (const record of checked) {
      if (b64(record.sign) !== b64(this.pinned(record.acct))) throw new ProtocolError("safety-number-changed");
      const pin = this.#pinOf(record.acct);
      if (pin && record.sha256 !== pin.record) throw new ProtocolError("record-rollback", "not the record of the pin");
    }
    return checked;
  }

  #keysOf(acct: string): readonly Uint8Array[] {
    const keyring = this.owner.keyring();
    if (acct === keyring.acct) return ownKeysOf(keyring);
    const pin = this.#pinOf(acct);
    return pin ? [pin.sign, ...pin.former].map((key) => unb64(key, 32)) : [];
  }

  #pinOf(acct: string): Pin | undefined {
    return this.owner.book().contacts.contacts.get(acct)?.pin;
  }

  #remember(opened: OpenedEnvelope): void {
    this.owner.book().learnSeen(opened.fields.id, opened.seenShard, opened.digest);
  }

  #receiver() {
    const keyring = this.owner.keyring();
    const { acct } = keyring;
    const keys = ownKeysOf(keyring);
    const aliases = ownAliases(this.owner.book().settings.settings.get("aliases")?.value, acct, keys);
    return { identities: identitiesOf(keyring), me: { acct, keys, aliases } };
  }
}
