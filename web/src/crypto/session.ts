// One account, unlocked: what the crypto worker holds, and all that a page may ask of it. Seed, identities and state key
// stay in here; a page gets what it shows, what it posts, and the keys of single messages.

import { b64, unb64, utf8 } from "../protocol/encoding";
import { ProtocolError } from "../protocol/errors";
import { DAY_MS } from "../protocol/limits";
import { viewOf } from "./account-view";
import { checkHistory, isExpired, lastRecord, readRecord } from "./account";
import { newX25519Identity, recipientOf, type Identity } from "./age";
import { isVerified, type Contact } from "./contacts";
import { readJson } from "./container";
import { Enrolment } from "./enrolment";
import {
  inOrder,
  keyringShape,
  openKeyring,
  ownKeysOf,
  recordOf,
  sealKeyring,
  signingKeyOf,
  successionFrom,
  type Keyring,
} from "./keyring";
import { mergeKeyrings } from "./keyring-changes";
import { Correspondence } from "./correspondence";
import { namedGroups, type Group, type NamedGroup } from "./groups";
import type { ComposedMessage, NewMessage } from "./message";
import { Guests } from "./guests";
import { greetingLink, linkTo, type GreetingLink, type MadeLink } from "./links";
import { newAccount } from "./new-account";
import { pairingWords } from "./pairing";
import { checkChosen, newPassphrase } from "./passphrase";
import { acceptChangedKey, firstContact, follow, type Pin } from "./pins";
import { openProfile, sealProfile, type Profile } from "./profile";
import type { ReceiptKind } from "./receipts";
import type { OpenedEnvelope } from "./receiving";
import type { Flags, Setting } from "./shards";
import { newRecoveryCode, readRecoveryCode, writeRecoveryCode } from "./recovery";
import { safetyNumber } from "./safety";
import { changed, salted, toldOf } from "./session-changes";
import type {
  AccountView,
  CheckedReceipt,
  GivenReceipt,
  KeyringChange,
  NewAccount,
  NumberWith,
  PersonView,
  Receivable,
  ReceivedEnvelope,
  SealedKeyring,
  SentMessage,
  WantedAccount,
} from "./session-views";
import { resealShard, type ResealedShard } from "./resealing";
import { ShardBook } from "./shard-book";
import { fp } from "./signing";
import { greetingAccess, passphraseAccess, unlockAccess, type Access } from "./unlock";

const RENEW_AFTER_MS = 30 * DAY_MS;

export class Session extends Guests {
  #keyring: Keyring | null = null;
  /** What the server has, as far as is known: the base of a merge. */
  #base: Keyring | null = null;
  #identity: Identity | null = null;
  /** Of a way in that is being added. */
  #newest: string | null = null;
  #enrolment = new Enrolment();
  #book = new ShardBook(() => this.#unlocked());
  #mail = this.#newMail();

  // --- ways in ---

  /** Makes a passphrase of six words. */
  newPassphrase(): string {
    return newPassphrase();
  }

  /** @throws ProtocolError passphrase-too-short, passphrase-too-simple */
  checkPassphrase(passphrase: string, name: string): void {
    checkChosen(passphrase, name);
  }

  /** Makes keys, a recovery code and, unless one was chosen, a passphrase; unlocks the new account. */
  async makeAccount(wanted: WantedAccount): Promise<NewAccount> {
    const { keyring, identity, unlock, passphrase, recoveryCode } = await newAccount(wanted);
    const sealed = await sealKeyring(keyring);
    this.#enter(keyring, identity);
    for (const name of ["contacts", "groups", "settings"]) this.#book.lacks(name);
    return {
      account: viewOf(keyring, 0),
      record: b64(await recordOf(keyring, { nowMs: wanted.nowMs })),
      keyring: b64(sealed),
      unlock,
      passphrase,
      recoveryCode,
    };
  }

  /** Takes a passphrase as the way in of the next `openKeyring`. Returns the bearer. @throws ProtocolError salt-malformed */
  async takePassphrase(passphrase: string, salt: string): Promise<string> {
    return this.#take(await passphraseAccess(passphrase, salted(salt)));
  }

  /** Takes a recovery code likewise. @throws ProtocolError recovery-code-malformed, recovery-code-typo */
  takeRecoveryCode(typed: string): string {
    return this.#take(unlockAccess(readRecoveryCode(typed)));
  }

  /** Takes the PRF output of a passkey likewise, and wipes it. */
  takePasskey(prf: Uint8Array): void {
    this.#take(unlockAccess(prf));
    prf.fill(0);
  }

  /** The bearer of a passphrase, for a server that asks whether it is still its owner. @throws ProtocolError salt-malformed */
  async passphraseBearer(passphrase: string, salt: string): Promise<string> {
    return b64((await passphraseAccess(passphrase, salted(salt))).bearer);
  }

  /** The bearer of a recovery code, likewise. @throws ProtocolError recovery-code-malformed, recovery-code-typo */
  recoveryBearer(typed: string): string {
    return b64(unlockAccess(readRecoveryCode(typed)).bearer);
  }

  /** The six words of a machine that wants to be paired; null for what is no public key. */
  pairingWords(recipient: string): string[] | null {
    try {
      return pairingWords(recipient);
    } catch {
      return null;
    }
  }

  newRecoveryCode(): string {
    return writeRecoveryCode(newRecoveryCode());
  }

  /** Takes what the PRF of a new passkey gave; the second time, whether it is the same: then it may be added. */
  offerPrf(prf: Uint8Array): boolean {
    return this.#enrolment.offer(prf);
  }

  /** The new passkey is not to unlock. */
  forgetPrf(): void {
    this.#enrolment.forget();
  }

  /**
   * Opens the keyring, by `identity` (a trusted device's) or the way in that was taken before. Without `known`, the key
   * that this device remembers, `history` (the account's records) tells whether it is the account's.
   */
  async openKeyring(fetched: {
    sealed: Uint8Array;
    acct: string;
    identity?: Identity;
    known?: string;
    history?: readonly Uint8Array[];
    highestRev?: number;
  }): Promise<AccountView> {
    const identity = fetched.identity ?? this.#identity;
    if (identity === null) throw new ProtocolError("keyring-no-match", "no way in was taken");
    const known = fetched.known === undefined ? undefined : unb64(fetched.known, 32);
    const keyring = await openKeyring(fetched.sealed, identity, { acct: fetched.acct, known });
    if (!known && fetched.history) {
      const published = b64(checkHistory(fetched.acct, fetched.history).sign);
      if (!ownKeysOf(keyring).some((key) => b64(key) === published)) throw new ProtocolError("keyring-forged");
    }
    this.#enter(keyring, identity);
    return viewOf(keyring, fetched.highestRev ?? 0);
  }

  /** Returns the unlocked keyring, to be sealed at once by a key of this device. */
  exportKeyring(): Uint8Array<ArrayBuffer> {
    const identity = typeof this.#identity === "string" ? this.#identity : null;
    return utf8(JSON.stringify({ keyring: inOrder(this.#unlocked()), identity }));
  }

  /** Unlocks by what `exportKeyring` returned; `identity` where that could not be exported. */
  importKeyring(exported: Uint8Array, identity?: Identity): AccountView {
    const kept = JSON.parse(new TextDecoder().decode(exported)) as { keyring: unknown; identity: string | null };
    const keyring = readJson(utf8(JSON.stringify(kept.keyring)), keyringShape, "keyring-malformed");
    this.#enter(keyring, identity ?? kept.identity);
    return viewOf(keyring, 0);
  }

  /** Forgets everything. */
  lock(): void {
    this.#enrolment.forget();
    this.#keyring = this.#base = this.#identity = this.#newest = null;
    this.#mail = this.#newMail();
    this.#book = new ShardBook(() => this.#unlocked());
  }

  // --- keyring and record ---

  account(): AccountView {
    return viewOf(this.#unlocked(), 0);
  }

  newDeviceIdentity(): string {
    return newX25519Identity();
  }

  /** Changes the keyring; put `sealed` with If-Match, then call `keyringStored`, or on 412 `mergeKeyring`. */
  async changeKeyring(change: KeyringChange): Promise<SealedKeyring> {
    const { keyring, way } = await changed(this.#unlocked(), change, () => this.#enrolment.claim());
    const sealed = await this.#sealed(keyring);
    this.#newest = way?.identity ?? null;
    return { ...sealed, ...toldOf(way) };
  }

  /** Merges what another device stored meanwhile with the change that was refused. @throws ProtocolError keyring-conflict */
  async mergeKeyring(theirs: Uint8Array): Promise<SealedKeyring> {
    const mine = this.#unlocked();
    if (this.#identity === null || this.#base === null) throw new ProtocolError("keyring-no-match");
    const other = await openKeyring(theirs, this.#identity, {
      acct: mine.acct,
      known: signingKeyOf(this.#base).public,
    });
    const merged = mergeKeyrings(this.#base, mine, other);
    this.#base = other;
    return this.#sealed(merged);
  }

  async keyringStored(): Promise<AccountView> {
    this.#base = this.#unlocked();
    if (this.#newest !== null) await this.#comeBy(this.#newest);
    this.#newest = null;
    this.#enrolment.forget();
    return this.account();
  }

  /** Signs the next record when it is due: after a month, or when the keys changed. @throws ProtocolError keyring-forged */
  async renewRecord(history: readonly Uint8Array[], nowMs: number): Promise<Uint8Array<ArrayBuffer> | null> {
    const keyring = this.#unlocked();
    const last = checkHistory(keyring.acct, history);
    const succession = successionFrom(keyring, last.sign);
    const isMine = b64(last.sign) === b64(signingKeyOf(keyring).public);
    if (!isMine && !succession) throw new ProtocolError("keyring-forged");
    const published = last.fields.enc.map((key) => key.id).sort();
    const current = keyring.enc.filter((key) => !key.retired).map((key) => key.id);
    const isSame = isMine && published.join() === current.sort().join();
    if (isSame && nowMs - last.fields.created < RENEW_AFTER_MS) return null;
    return recordOf(keyring, { nowMs, previous: last, ...(succession && { succession }) });
  }

  /** The signing key, base64url, that this account's records name last. @throws ProtocolError */
  publishedKey(history: readonly Uint8Array[]): string {
    return b64(checkHistory(this.#unlocked().acct, history).sign);
  }

  /** Whether all records under this account's name are its own. @throws ProtocolError log-stranger, record-… */
  checkOwnRecords(history: readonly Uint8Array[]): void {
    const { acct } = this.#unlocked();
    const own = ownKeysOf(this.#unlocked()).map(b64);
    checkHistory(acct, history);
    if (!history.every((record) => own.includes(b64(readRecord(record).sign)))) throw new ProtocolError("log-stranger");
  }

  // --- shards ---

  /** Merges a shard of the server or of this device's copy. Returns its rev. @throws ProtocolError shard-… */
  takeShard(name: string, sealed: Uint8Array, from: { server: boolean; highestRev: number }): Promise<number> {
    return this.#book.take(name, sealed, from);
  }

  /** Notes that the server has no such shard. */
  noShard(name: string): void {
    this.#book.lacks(name);
  }

  /** Names what was learnt here and is to be put. */
  pendingShards(): string[] {
    return this.#book.pending();
  }

  /** Seals a shard with the next rev; put it, then call `shardStored`, or on 412 `takeShard` and this again. */
  giveShard(name: string): Promise<{ sealed: Uint8Array<ArrayBuffer>; rev: number }> {
    return this.#book.give(name);
  }

  shardStored(name: string): void {
    this.#book.stored(name);
  }

  /** Seals to the present state key what is sealed to a former one; null: it is sealed to that already, or no key opens it. */
  resealShard(name: string, sealed: Uint8Array): Promise<ResealedShard | null> {
    return resealShard(sealed, name, this.#unlocked());
  }

  settings(): Record<string, string | number | boolean | null> {
    return Object.fromEntries([...this.#book.settings.settings].map(([key, { value }]) => [key, value]));
  }

  /** Each with the time it was chosen, as an export has them. */
  settingEntries(): ReadonlyMap<string, Setting> {
    return this.#book.settings.settings;
  }

  setSetting(key: string, value: string | number | boolean | null, atMs: number): void {
    this.#book.learnSettings({ shard: "settings", rev: 0, settings: new Map([[key, { value, at: atMs }]]) });
  }

  /** What the owner does with messages, by id: of the shards `kept-…` that were taken. */
  flags(): ReadonlyMap<string, Flags> {
    return this.#book.flags;
  }

  /** Notes it in the shard of the message's month; take that first. Tells whether there was room. */
  noteFlags(id: string, shard: string, flags: Flags): boolean {
    return this.#book.learnFlags(id, shard, flags);
  }

  groups(): readonly NamedGroup[] {
    return namedGroups(this.#book.groups);
  }

  /** Joins what the owner says of a group; take the shard `groups` first. */
  noteGroup(id: string, news: Group): void {
    this.#book.learnGroups({ shard: "groups", rev: 0, groups: new Map([[id, news]]) });
  }

  // --- people ---

  contacts(): ReadonlyMap<string, Contact> {
    return this.#book.contacts.contacts;
  }

  /** Joins what the owner says of an account: a name, a mark, a block, an answer to a request. */
  noteContact(acct: string, news: Omit<Contact, "pin">): void {
    this.#book.learnContacts({ shard: "contacts", rev: 0, contacts: new Map([[acct, news]]) });
  }

  /**
   * Checks an account's records (all, oldest first) against what is pinned, or pins them; `signer` is who signed the
   * envelope that made the contact. @throws ProtocolError safety-number-changed: sending is blocked until `acceptKey`
   */
  meet(acct: string, history: readonly Uint8Array[], signer: Uint8Array | null, nowMs: number): PersonView {
    const before = this.#mail.known().get(acct)?.pin;
    const pin = before ? follow(before, acct, history) : firstContact(acct, history);
    if (signer && ![pin.sign, ...pin.former].includes(b64(signer))) throw new ProtocolError("wrong-signer");
    const last = readRecord(history.at(-1) ?? new Uint8Array(0));
    if (acct === this.#unlocked().acct) this.#checkOwn(pin);
    else this.#pin(acct, pin);
    this.#mail.rememberOf(pin);
    return {
      acct,
      fp: fp(last.sign),
      rev: last.rev,
      isNew: before === undefined,
      hasNewKey: before !== undefined && before.sign !== pin.sign,
      isVerified: isVerified(this.#book.contacts.contacts.get(acct) ?? {}),
      isExpired: isExpired(last, nowMs),
    };
  }

  /** Checks that an account has, or had before a succession, the key that a link names. @throws ProtocolError fingerprint-mismatch */
  checkFingerprint(acct: string, history: readonly Uint8Array[], named: string): void {
    const { sign, former } = firstContact(acct, history);
    const isNamed = [sign, ...former].some((key) => fp(unb64(key, 32)) === named);
    if (!isNamed) throw new ProtocolError("fingerprint-mismatch");
  }

  /** Pins a changed key: the person has compared the safety number. */
  acceptKey(acct: string, history: readonly Uint8Array[]): void {
    const pin = this.#book.contacts.contacts.get(acct)?.pin;
    const last = lastRecord(acct, history);
    if (pin) this.#pin(acct, acceptChangedKey(pin, last));
  }

  /** The number of this account and another: of its pinned key, or of the key of these records. */
  safetyNumber(acct: string, history?: readonly Uint8Array[]): NumberWith {
    const keyring = this.#unlocked();
    const sign = history ? lastRecord(acct, history).sign : this.#mail.pinned(acct);
    const number = safetyNumber({ acct: keyring.acct, sign: signingKeyOf(keyring).public }, { acct, sign });
    return { ...number, sign: b64(sign) };
  }

  // --- messages ---

  /**
   * Opens an envelope of the inbox. While shards of its month are `unread`, fetch them (`takeShard`, `noShard`) and open it
   * again: only then is it known not to be a replay, and remembered. Of trust `first`: fetch the sender's records and
   * `meet`, then show.
   */
  openEnvelope(sealed: Uint8Array, nowMs: number): Promise<ReceivedEnvelope> {
    return this.#mail.openEnvelope(sealed, nowMs);
  }

  /** Whether a message of this id was received, by the shards of seen ids that were taken. */
  wasReceived(id: string): boolean {
    return this.#book.wasReceived(id);
  }

  openOwnCopy(sealed: Uint8Array, nowMs: number): Promise<OpenedEnvelope> {
    return this.#mail.openOwnCopy(sealed, nowMs);
  }

  /** Makes a guest link to a message that was sent, from the own copy of its envelope. */
  async makeLink(ownCopy: Uint8Array, password: string | null, nowMs: number): Promise<MadeLink> {
    return linkTo(this.#unlocked(), await this.openOwnCopy(ownCopy, nowMs), password);
  }

  /** Makes a link of a page to its greeting: for a page's new secret, too. */
  async makeGreetingLink(ownCopy: Uint8Array, secret: Uint8Array, nowMs: number): Promise<GreetingLink> {
    return greetingLink(this.#unlocked(), await this.openOwnCopy(ownCopy, nowMs), secret);
  }

  /** Seals what one's page says to those who have its link; base64url. */
  sealProfile(says: Pick<Profile, "greeting" | "note">, secret: Uint8Array, nowMs: number): Promise<string> {
    const keyring = this.#unlocked();
    const profile = { acct: keyring.acct, created: nowMs, ...says };
    return sealProfile(profile, greetingAccess(secret).identity, signingKeyOf(keyring));
  }

  /** Opens what one's own page says. @throws ProtocolError page-damaged, wrong-signer */
  openOwnProfile(sealed: Uint8Array, secret: Uint8Array): Promise<Profile> {
    const keyring = this.#unlocked();
    const owner = { acct: keyring.acct, keys: ownKeysOf(keyring) };
    return openProfile(sealed, greetingAccess(secret).identity, owner);
  }

  /** Seals a message for accounts whose current records these are; each must be the pinned one's. */
  composeMessage(wanted: NewMessage, records: readonly Uint8Array[]): Promise<ComposedMessage> {
    return this.#mail.compose(wanted, records);
  }

  /**
   * Seals a received message for more accounts, likewise; by name, base64url. `name`: how this account calls itself.
   * @throws ProtocolError forward-not-allowed
   */
  forwardMessage(
    sealed: Uint8Array,
    name: string,
    records: readonly Uint8Array[],
    nowMs: number,
  ): Promise<Record<string, string>> {
    return this.#mail.forward(sealed, name, records, nowMs);
  }

  /** Confirms a received message to who signed it. */
  writeReceipt(message: Receivable, kind: ReceiptKind, nowMs: number): string | null {
    return this.#mail.writeReceipt(message, kind, nowMs);
  }

  /** Checks what recipients of a sent message are said to have signed; the answers stand in the same order. */
  checkReceipts(message: SentMessage, given: readonly GivenReceipt[], nowMs: number): readonly CheckedReceipt[] {
    return this.#mail.checkReceipts(message, given, nowMs);
  }

  #pin(acct: string, pin: Pin): void {
    this.#book.learnContacts({ shard: "contacts", rev: 0, contacts: new Map([[acct, { pin }]]) });
  }

  #checkOwn(pin: Pin): void {
    const own = ownKeysOf(this.#unlocked()).map(b64);
    if (!own.includes(pin.sign)) throw new ProtocolError("safety-number-changed");
  }

  #take(access: Access): string {
    this.#identity = access.identity;
    return b64(access.bearer);
  }

  /** Whoever came by a way in that has ended goes on by the new one. */
  async #comeBy(identity: string): Promise<void> {
    const { unlock, devices } = this.#unlocked();
    const current = this.#identity === null ? "" : await recipientOf(this.#identity);
    if (![...unlock, ...devices].some(({ recipient }) => recipient === current)) this.#identity = identity;
  }

  /** A newer keyring of the account that is open already leaves what was learnt. */
  #enter(keyring: Keyring, identity: Identity | null): void {
    if (this.#keyring?.acct !== keyring.acct) this.lock();
    this.#keyring = this.#base = keyring;
    this.#identity = identity;
  }

  #newMail(): Correspondence {
    return new Correspondence({ keyring: () => this.#unlocked(), book: () => this.#book });
  }

  #unlocked(): Keyring {
    if (!this.#keyring) throw new ProtocolError("keyring-no-match", "locked");
    return this.#keyring;
  }

  async #sealed(keyring: Keyring): Promise<SealedKeyring> {
    const sealed = await sealKeyring(keyring);
    this.#keyring = keyring;
    return { sealed, rev: keyring.rev, bearer: null, salt: null };
  }
}
