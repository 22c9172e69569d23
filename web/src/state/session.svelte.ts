/** Who is signed in in this browser, and how somebody comes in and goes. */

import { startCrypto, type AccountView, type CryptoService } from "../crypto/service";
import { nameOf } from "../protocol/names";
import { askToPersist, openDatabase, type Database } from "../storage/db";
import { accountsHere, DeviceVault, forgetAccount } from "../storage/keys";
import { Api, type Fetch } from "../transfer/http";
import { ownPush } from "../transfer/push";
import type { Choices } from "./choices.svelte";
import {
  askPasskey,
  askServer,
  distrust,
  endSession,
  leaveServer,
  signInBy,
  signInByPasskey,
  trust,
  unlockBy,
  whyEnded,
  type Answered,
  type Entered,
  type ServerFacts,
} from "./entering";
import { failureOf, type Failure } from "./failure";
import { House } from "./house.svelte";
import { Memory } from "./memory";
import { PasskeyOffer } from "./passkey-offer";
import { ownPasskeys, type Passkeys } from "./passkeys";
import { Tabs } from "./tabs";
import { introduce, thisBrowser } from "./this-browser";
import { Verification } from "./verification.svelte";

/** `starting`: what lies on this device is being opened. `outside`: nobody is signed in; `account` was here before. */
export type SessionState =
  | { kind: "starting" }
  | { kind: "outside"; account: string; failure: Failure | null }
  | { kind: "inside"; house: House };

/** `locked`: a passkey has signed in that does not unlock, so that a passphrase or the recovery code is still asked for. */
export type SignInState =
  | { kind: "ready" }
  | { kind: "working" }
  | { kind: "failed"; failure: Failure }
  | { kind: "offline" }
  | { kind: "locked"; account: string; working: boolean; failure: Failure | null };

export interface SessionTools {
  readonly choices: Choices;
  readonly api?: Api;
  readonly startCrypto?: () => CryptoService;
  readonly openDatabase?: () => Promise<Database>;
  readonly passkeys?: Passkeys;
  /** For tests: opens the live channel. */
  readonly liveFetch?: Fetch;
}

/** Set while a session that could not be ended without a network is still to be ended. */
const TO_LEAVE = "restante:to-leave";

export class Session {
  state: SessionState = $state.raw({ kind: "starting" });
  signInState: SignInState = $state.raw({ kind: "ready" });
  /** Whose session was ended from elsewhere while this page was open: what they did not send can still be saved. */
  left: string | null = $state.raw(null);
  readonly api: Api;
  readonly #choices: Choices;
  readonly startCrypto: () => CryptoService;
  readonly passkeys: Passkeys;
  readonly #liveFetch: Fetch | undefined;
  readonly #openDatabase: () => Promise<Database>;
  #isLeaving = false;
  /** Another tab has signed out. */
  #wasTold = false;
  #offer: PasskeyOffer | null = null;
  #locked: { crypto: CryptoService; name: string; server: string; keep: boolean } | null = null;
  readonly #tabs = new Tabs({
    onEntered: () => void this.#follow(),
    onLeft: (acct) => this.#refused(acct),
  });

  constructor(tools: SessionTools) {
    this.#choices = tools.choices;
    this.api = tools.api ?? new Api();
    this.startCrypto = tools.startCrypto ?? startCrypto;
    this.passkeys = tools.passkeys ?? ownPasskeys;
    this.#liveFetch = tools.liveFetch;
    this.#openDatabase = tools.openDatabase ?? openDatabase;
  }

  get house(): House | null {
    return this.state.kind === "inside" ? this.state.house : null;
  }

  /** Opens what this device was trusted with: works without a network. Never rejects. */
  async restore(): Promise<void> {
    try {
      const db = await this.#openDatabase();
      for (const acct of await accountsHere(db)) {
        if (await this.#restored(db, acct)) return;
      }
      db.close();
      this.state = { kind: "outside", account: "", failure: null };
      void this.#leaveLate();
    } catch (error) {
      this.state = { kind: "outside", account: "", failure: failureOf(error) };
    }
  }

  /** Whether a passkey may open this server here. Never rejects: without an answer, no. */
  async offersPasskeys(): Promise<boolean> {
    if (!this.passkeys.areKnown) return false;
    return askServer(this.api).then(
      ({ hasPasskeys }) => hasPasskeys,
      () => false,
    );
  }

  /** Signs in by passphrase or recovery code; `keep`: trust this browser. Never rejects: `signInState` tells. */
  async signIn({ keep, ...entered }: Entered & { keep: boolean }): Promise<void> {
    await this.#signIn(async (crypto, { name }) => {
      const account = await signInBy({ api: this.api, crypto }, entered, name);
      await this.#moveIn(crypto, account, keep, entered.way === "recovery");
    });
  }

  /** Signs in by a passkey, which tells whose it is. Never rejects: `signInState` tells. */
  async signInByPasskey(keep: boolean): Promise<void> {
    await this.#signInByShown(() => askPasskey(this), keep);
  }

  /**
   * Lets the browser offer passkeys where the name is typed, until somebody signs in or the returned function is called.
   * `keep`: as it is when one is chosen.
   */
  awaitPasskey(keep: () => boolean): () => void {
    const onShown = (shown: Answered): void => void this.#signInByShown(() => shown, keep());
    const offer = (this.#offer = new PasskeyOffer(this, onShown, this.#offer?.stop()));
    return () => void offer.stop();
  }

  async #signInByShown(ask: () => Answered | Promise<Answered>, keep: boolean): Promise<void> {
    await this.#signIn(async (crypto, server) => {
      const { name, account } = await signInByPasskey({ api: this.api, crypto }, await ask(), server.name);
      if (account) return this.#moveIn(crypto, account, keep);
      this.#locked = { crypto, name, server: server.name, keep };
      this.signInState = { kind: "locked", account: name, working: false, failure: null };
    });
  }

  /** Unlocks what a passkey has signed in to. Never rejects: `signInState` tells. */
  async unlock({ secret, way }: Omit<Entered, "account">): Promise<void> {
    const { signInState: state } = this;
    const locked = this.#locked;
    if (state.kind !== "locked" || state.working || locked === null) return;
    this.signInState = { ...state, working: true, failure: null };
    const { crypto, name, server, keep } = locked;
    try {
      const account = await unlockBy({ api: this.api, crypto }, { account: name, secret, way }, server);
      await this.#moveIn(crypto, account, keep, way === "recovery");
      this.#locked = null;
      this.signInState = { kind: "ready" };
    } catch (error) {
      this.signInState = { ...state, working: false, failure: failureOf(error) };
    }
  }

  /** Leaves what stayed locked. */
  async giveUp(): Promise<void> {
    this.#locked?.crypto.close();
    this.#locked = null;
    this.signInState = { kind: "ready" };
    await leaveServer(this.api).catch(() => localStorage.setItem(TO_LEAVE, "yes"));
  }

  /** Moves into an account that was just made on the server. @throws Problem, StorageError */
  async enterNew(crypto: CryptoService, account: AccountView): Promise<void> {
    await this.#moveIn(crypto, account, true);
  }

  /** Ends this session and forgets the account here; drafts stay, for whoever signs in to it again. */
  async signOut(): Promise<void> {
    const house = this.house;
    if (!house || this.#isLeaving) return;
    this.#isLeaving = true;
    await house.shards.save().catch(() => undefined); // what was learnt last
    // First: a channel that is still open would ask on behalf of nobody.
    this.#tabs.tellLeft(house.account.acct);
    house.live.close();
    await this.#endOnServer(house, house.memory.deviceId === null ? [] : [house.memory.deviceId]);
    await this.#leave(house);
  }

  /** Ends every session and takes every device out of the keyring. @throws Problem, Refused closed: then nothing has changed here */
  async signOutEverywhere(): Promise<void> {
    const house = this.house;
    if (!house || this.#isLeaving) return;
    await house.shards.save();
    await house.part(Verification).run(() => endSession(this.api, "others"));
    const { devices } = await house.crypto.account();
    const tools = { api: this.api, crypto: house.crypto };
    const { deviceId } = house.memory;
    const others = devices.map(({ did }) => did).filter((did) => did !== deviceId);
    // This one last: once it is out, it opens no keyring to take others out of.
    await distrust(tools, deviceId === null ? others : [...others, deviceId]);
    await leaveServer(this.api);
    await this.#leave(house);
  }

  /**
   * Deletes the account with everything in it, for good, and forgets it here; drafts stay, and can be saved. @throws Problem,
   * Refused closed: then nothing has changed
   */
  async deleteAccount(): Promise<void> {
    const house = this.house;
    if (!house || this.#isLeaving) return;
    await house.part(Verification).run(async () => {
      this.#isLeaving = true; // the live channel hears of it before this answer is here
      try {
        await this.api.delete("/api/v1/account");
      } catch (error) {
        this.#isLeaving = false;
        throw error;
      }
    });
    this.left = house.account.acct;
    await this.#leave(house, { code: "account-deleted" });
  }

  /** Leaves a house whose session has ended, by the server or another tab. */
  async leaveEnded(): Promise<void> {
    const house = this.house;
    if (!house || this.#isLeaving) return;
    this.#isLeaving = true;
    const failure = await this.#whyEnded(house);
    this.left = house.account.acct;
    await this.#leave(house, failure);
  }

  close(): void {
    this.#tabs.close();
    this.house?.close();
  }

  async #restored(db: Database, acct: string): Promise<boolean> {
    const vault = await DeviceVault.open(acct, db);
    const kept = await vault.recallKeyring().catch(() => null);
    if (kept === null) {
      if (!(await this.#tabs.isInUse(acct))) await forgetAccount(db, acct);
      return false;
    }
    const crypto = this.startCrypto();
    const account = await crypto.importKeyring(kept);
    await this.#open(crypto, vault, account);
    return true;
  }

  async #signIn(enter: (crypto: CryptoService, server: ServerFacts) => Promise<void>): Promise<void> {
    if (this.signInState.kind === "working") return;
    this.signInState = { kind: "working" };
    await this.#offer?.stop(); // a browser asks for one passkey at a time
    const crypto = this.startCrypto();
    try {
      await this.#leaveLate();
      await enter(crypto, await askServer(this.api));
      if (this.#locked === null) this.signInState = { kind: "ready" };
    } catch (error) {
      crypto.close();
      const failure = failureOf(error);
      this.signInState = failure.code === "offline" ? { kind: "offline" } : { kind: "failed", failure };
    }
  }

  /** `byCode`: the recovery code was needed, so that another way in and a new code should follow. */
  async #moveIn(crypto: CryptoService, account: AccountView, keep: boolean, byCode = false): Promise<void> {
    const vault = await DeviceVault.open(account.acct, await this.#openDatabase());
    const memory = await Memory.recall(vault);
    if (keep) {
      await trust({ api: this.api, crypto, vault, memory }, thisBrowser());
      void askToPersist();
    }
    // Without it the list of devices is less clear, and made good when it is looked at.
    await introduce(this.api, memory.deviceId).catch(() => undefined);
    await this.#open(crypto, vault, account, byCode);
    this.left = null;
    this.#tabs.tellEntered();
  }

  async #open(crypto: CryptoService, vault: DeviceVault, { acct, sign }: AccountView, byCode = false): Promise<void> {
    const house = new House({
      api: this.api,
      crypto,
      vault,
      memory: await Memory.recall(vault),
      choices: this.#choices,
      account: { name: nameOf(acct), acct, sign },
      passkeys: this.passkeys,
      liveFetch: this.#liveFetch,
    });
    house.cameByCode = byCode;
    this.#tabs.use(acct, house.signal);
    await house.recall();
    this.state = { kind: "inside", house };
    void house.catchUp();
  }

  async #endOnServer(house: House, devices: readonly string[]): Promise<void> {
    const tools = { api: this.api, crypto: house.crypto };
    try {
      await distrust(tools, devices).catch((error: unknown) => {
        if (failureOf(error).code === "offline") throw error;
      });
      await leaveServer(this.api);
    } catch {
      localStorage.setItem(TO_LEAVE, "yes");
    }
  }

  async #leave(house: House, failure: Failure | null = null): Promise<void> {
    const { acct, name } = house.account;
    this.#isLeaving = true;
    this.state = { kind: "starting" }; // no other screen may begin with this house
    house.close();
    void ownPush.end().catch(() => undefined); // on the server it ended with the session
    const db = await this.#openDatabase();
    await forgetAccount(db, acct, failure?.code === "account-deleted")
      .catch(() => undefined) // storage is blocked: there is nothing to forget
      .finally(() => db.close());
    this.signInState = failure === null ? { kind: "ready" } : { kind: "failed", failure };
    this.#isLeaving = false;
    // Nobody comes in again by a name that is gone.
    this.state = { kind: "outside", account: failure?.code === "account-deleted" ? "" : name, failure };
    this.#tabs.tellLeft(acct);
  }

  async #whyEnded({ isDropped }: House): Promise<Failure> {
    const wasTold = this.#wasTold;
    this.#wasTold = false;
    if (wasTold) return { code: "not-signed-in" };
    if (!isDropped) return whyEnded(this.api);
    await leaveServer(this.api).catch(() => localStorage.setItem(TO_LEAVE, "yes")); // it opens nothing any more
    return { code: "device-removed" };
  }

  /** Another tab signed in. */
  async #follow(): Promise<void> {
    if (this.state.kind === "outside") await this.restore();
  }

  /** Another tab signed out. */
  #refused(acct: string): void {
    if (this.house?.account.acct !== acct) return;
    this.#wasTold = true;
    this.house.isSignedOut = true;
  }

  async #leaveLate(): Promise<void> {
    if (localStorage.getItem(TO_LEAVE) === null) return;
    try {
      await leaveServer(this.api);
      localStorage.removeItem(TO_LEAVE);
    } catch {
      // At the next start.
    }
  }
}
