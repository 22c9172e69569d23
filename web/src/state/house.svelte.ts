/** All that one signed-in account works with in this page. Built after the sign-in, closed at the sign-out. */

import type { CryptoService } from "../crypto/service";
import type { Database } from "../storage/db";
import type { DeviceVault } from "../storage/keys";
import type { Api, Fetch } from "../transfer/http";
import type { Choices } from "./choices.svelte";
import type { Memory } from "./memory";
import { failureOf, isCode, type Failure } from "./failure";
import { finishStateKey, refreshKeyring, renewRecord, takeNewKeyring, watchOwnName } from "./upkeep";
import { Live } from "./network.svelte";
import { Parts, type Part } from "./parts";
import type { Passkeys } from "./passkeys";
import { KeyLog } from "./key-log";
import { People } from "./people.svelte";
import { Settings } from "./settings.svelte";
import { ShardStore } from "./shards";

/** Who is signed in. Keys stay in the crypto worker. */
export interface Account {
  /** `ann` of `ann@post.example`. */
  readonly name: string;
  readonly acct: string;
  /** The signing public key, base64url. */
  readonly sign: string;
}

export interface HouseTools {
  readonly api: Api;
  readonly crypto: CryptoService;
  readonly vault: DeviceVault;
  readonly memory: Memory;
  readonly choices: Choices;
  readonly account: Account;
  readonly passkeys: Passkeys;
  readonly liveFetch?: Fetch | undefined;
}

const LOOK_FOR_KEYS_MS = 60_000;

export class House {
  readonly api: Api;
  /** Unlocked. */
  readonly crypto: CryptoService;
  readonly vault: DeviceVault;
  readonly memory: Memory;
  readonly choices: Choices;
  readonly account: Account;
  readonly passkeys: Passkeys;
  readonly live: Live;
  readonly shards: ShardStore;
  readonly log: KeyLog;
  readonly people: People;
  readonly settings: Settings;
  /** How many messages wait, for the bar and the title; the inbox counts them. */
  waiting = $state(0);
  /** How many messages are on their way: nothing new takes over meanwhile. */
  sending = $state(0);
  /** The server ended the session: uploads wait, and the person must sign in again. */
  isSignedOut = $state(false);
  /** This device was taken out of the keyring. */
  isDropped = false;
  /** The recovery code had to serve: another way in and a new code should follow. */
  cameByCode = $state(false);
  /** What the person should know, though it stops nothing. */
  warning: Failure | null = $state.raw(null);
  #catchingUp: Promise<void> | null = null;
  /** The server's keyring was compared with the one kept here. */
  #isKeyringFresh = false;
  #lookedForKeysMs = 0;
  readonly #parts = new Parts<House>(this);
  readonly #closed = new AbortController();

  constructor(tools: HouseTools) {
    this.api = tools.api;
    this.crypto = tools.crypto;
    this.vault = tools.vault;
    this.memory = tools.memory;
    this.choices = tools.choices;
    this.account = tools.account;
    this.passkeys = tools.passkeys;
    this.shards = new ShardStore(this);
    this.log = new KeyLog(this);
    this.people = new People(this);
    this.settings = new Settings(this);
    const refused = (): void => {
      this.isSignedOut = true;
    };
    this.live = new Live(this.account.acct, refused, tools.liveFetch);
    this.live.listen(({ kind }) => {
      if (kind === "connected") void this.catchUp();
    });
  }

  /** The person has read the warning. */
  understood(): void {
    this.warning = null;
  }

  get db(): Database {
    return this.vault.db;
  }

  /** Aborted when the house closes: for requests and waits. */
  get signal(): AbortSignal {
    return this.#closed.signal;
  }

  /** Shows what lies on this device: works without a network. */
  async recall(): Promise<void> {
    await this.settings.recall();
    await this.people.recall();
  }

  /** Reads what other devices stored, and stores what is only here; what fails is tried at the next connection. Never rejects. */
  catchUp(): Promise<void> {
    this.#catchingUp ??= this.#catchUp().finally(() => (this.#catchingUp = null));
    return this.#catchingUp;
  }

  /** Goes on with the keyring that another device has made meanwhile; tells whether there was one. @throws Problem, ProtocolError */
  takeNewKeyring(): Promise<boolean> {
    return takeNewKeyring(this);
  }

  /** Looks whether another device has made new keys; tells whether there are any. Rarely: each message that does not open asks. */
  async lookForKeys(): Promise<boolean> {
    if (Date.now() - this.#lookedForKeysMs < LOOK_FOR_KEYS_MS) return false;
    this.#lookedForKeysMs = Date.now();
    return refreshKeyring(this).catch(() => false);
  }

  /** The one instance of a class that lives as long as the house: `house.part(Inbox)`. */
  part<T extends Part>(Kind: new (house: House) => T): T {
    return this.#parts.of(Kind);
  }

  async #catchUp(): Promise<void> {
    try {
      if (!this.#isKeyringFresh) await refreshKeyring(this);
      this.#isKeyringFresh = true;
    } catch (error) {
      this.#noteKeyring(error);
    }
    await this.people.refresh();
    await this.people.settle();
    await this.settings.refresh().catch(() => undefined);
    await this.shards.save().catch(() => undefined);
    await finishStateKey(this).catch(() => undefined);
    await renewRecord(this).catch((error: unknown) => {
      if (isCode(error, "verification-needed")) this.warning = { code: "key-unpublished" };
    });
    await watchOwnName(this).catch(() => undefined);
  }

  #noteKeyring(error: unknown): void {
    // This device was taken out of the keyring: its owner no longer trusts it.
    this.isDropped = isCode(error, "keyring-no-match");
    if (this.isDropped || isCode(error, "not-signed-in") || isCode(error, "device-removed")) this.isSignedOut = true;
    else if (!isCode(error, "offline")) this.warning = failureOf(error);
  }

  close(): void {
    this.#closed.abort(new DOMException("closed", "AbortError"));
    this.#parts.close();
    this.shards.close();
    this.live.close();
    this.crypto.close();
    this.vault.close();
  }
}
