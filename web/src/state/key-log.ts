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
    const checked = this.#turn.then(() => this.#check(records));
    this.#turn = checked.catch(() => undefined);
    return checked;
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
    await this.#tools.vault.keep(NAME, utf8(JSON.stringify(newest)));
    this.#isFollowed = true;
    return newest;
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
