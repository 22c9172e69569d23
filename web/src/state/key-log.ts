/** The server's log of account records, as this browser follows it: nobody is pinned who does not stand in it. */

import type { KeptLog, LoggedRecord } from "../crypto/transparency";
import { utf8 } from "../protocol/encoding";
import { ProtocolError } from "../protocol/errors";
import type { DeviceVault } from "../storage/keys";
import { Problem, type Api } from "../transfer/http";
import { wholeOf } from "../transfer/whole";

interface Tools {
  readonly api: Api;
  readonly vault: DeviceVault;
  readonly account: { readonly acct: string };
}

const NAME = "log";
/** Somebody who signs that the log only grows. */
export interface Witness {
  /** Verifier key. */
  readonly key: string;
  readonly name: string;
  /** Whether this browser believes no log without that signature. */
  readonly isRequired: boolean;
}

/** A longer one is no tile and no note. */
const FILE_BYTES = 65_536;

export class KeyLog {
  readonly #tools: Tools;
  /** One after the other: what is kept grows with each. */
  #turn: Promise<unknown> = Promise.resolve();
  #isFollowed = false;

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  /** Checks that records stand in the log where the server says. @throws ProtocolError log-…, Problem */
  check(records: readonly LoggedRecord[]): Promise<void> {
    return this.#inTurn(() => this.#check(records));
  }

  /** Those whom the server asks, and those required here. @throws ProtocolError log-malformed, Problem */
  async witnesses(): Promise<readonly Witness[]> {
    const { witnessesOf } = await import("../crypto/transparency");
    const asked = witnessesOf(new TextDecoder().decode(await this.#fetch("witnesses")));
    const required = witnessesOf(((await this.#recall())?.witnesses ?? []).join("\n"));
    return [...new Map([...required, ...asked])].map(([key, name]) => ({ key, name, isRequired: required.has(key) }));
  }

  /** From now on no log is believed that this witness has not signed; it must have signed the present one. @throws ProtocolError log-…, Problem */
  require(witness: string): Promise<void> {
    return this.#inTurn(async () => {
      const { checkWitnessed } = await import("../crypto/transparency");
      const newest = await this.#follow(await this.#recall());
      checkWitnessed(newest.note, [witness]);
      await this.#keep({ ...newest, witnesses: [...new Set([...(newest.witnesses ?? []), witness])] });
    });
  }

  /** Believes the log without this witness again. */
  release(witness: string): Promise<void> {
    return this.#inTurn(async () => {
      const kept = await this.#recall();
      if (kept !== null) {
        await this.#keep({ ...kept, witnesses: (kept.witnesses ?? []).filter((key) => key !== witness) });
      }
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #check(records: readonly LoggedRecord[]): Promise<void> {
    const { checkLogged, openKept } = await import("../crypto/transparency");
    let kept = await this.#recall();
    const covers = (size: number): boolean => records.every(({ leaf }) => leaf < size);
    if (kept === null || !this.#isFollowed || !covers(openKept(kept).size)) kept = await this.#follow(kept);
    await checkLogged(openKept(kept), records, this.#fetch);
  }

  async #follow(kept: KeptLog | null): Promise<KeptLog> {
    const { followLog, originOf } = await import("../crypto/transparency");
    const newest = await followLog(kept, originOf(this.#tools.account.acct), this.#fetch);
    await this.#keep(newest);
    this.#isFollowed = true;
    return newest;
  }

  #keep(log: KeptLog): Promise<void> {
    return this.#tools.vault.keep(NAME, utf8(JSON.stringify(log)));
  }

  async #recall(): Promise<KeptLog | null> {
    const kept = await this.#tools.vault.recall(NAME);
    return kept === null ? null : (JSON.parse(new TextDecoder().decode(kept)) as KeptLog);
  }

  readonly #fetch = async (path: string): Promise<Uint8Array> => {
    try {
      const response = await this.#tools.api.request("GET", `/tlog/${path}`, { credentials: "omit" });
      const data = await wholeOf(response, FILE_BYTES);
      if (data === null) throw new ProtocolError("log-malformed", path);
      return data;
    } catch (error) {
      if (error instanceof Problem && error.status === 404) throw new ProtocolError("log-missing", path);
      throw error;
    }
  };
}
