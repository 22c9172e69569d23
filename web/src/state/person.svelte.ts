/** One person's card: the safety number, shown and scanned; what became of their key, and what the owner makes of it. */

import { compareSafetyCodes, type Comparison } from "../crypto/safety-code";
import type { NumberWith } from "../crypto/service";
import { CodeScanner } from "../media/code-scanner";
import { failureOf, isCode, type Failure } from "./failure";
import type { House } from "./house.svelte";

/** `changed`: another key, which the old one did not sign; its number is the one to compare. */
export type CardState =
  | { kind: "loading" }
  | { kind: "offline" }
  | { kind: "failed"; failure: Failure }
  | {
      kind: "ready" | "changed";
      number: NumberWith;
      /** When the number was compared; null: it was not. */
      verifiedAt: number | null;
      /** Their key followed another one, which signed it. */
      hasFollowed: boolean;
    };

export type ScanState =
  | { kind: "off" | "opening" }
  | { kind: "looking"; stream: MediaStream; wrong: boolean }
  | { kind: Exclude<Comparison, "other-code"> }
  | { kind: "failed"; failure: Failure };

export class PersonCard {
  state: CardState = $state.raw({ kind: "loading" });
  scan: ScanState = $state.raw({ kind: "off" });
  /** Something is being noted. */
  isBusy = $state(false);
  readonly #house: House;
  readonly #typed: string;
  #history: readonly Uint8Array[] = [];
  #scanner: CodeScanner | null = null;

  /** @param typed `ann`, as the address of the page has it. */
  constructor(house: House, typed: string) {
    this.#house = house;
    this.#typed = typed;
  }

  /** Looks at their records. Never rejects: `state` tells. */
  async open(): Promise<void> {
    const { people, crypto } = this.#house;
    try {
      const acct = people.acctOf(this.#typed);
      this.#history = await people.history(acct);
      const isChanged = await this.#isChanged(acct);
      const number = await crypto.safetyNumber(acct, this.#history);
      this.#show(isChanged ? "changed" : "ready", acct, number);
    } catch (error) {
      const failure = failureOf(error);
      this.state = failure.code === "offline" ? { kind: "offline" } : { kind: "failed", failure };
    }
  }

  /** They are the same: marks the key that was shown, after taking it for theirs where it was new. */
  async confirm(): Promise<void> {
    await this.#note(async (acct, { number }, isNew) => {
      if (isNew) await this.#house.people.accept(acct, this.#history);
      await this.#house.people.mark(acct, number.sign);
    });
  }

  /** Takes the new key for theirs though nothing was compared. */
  async trust(): Promise<void> {
    await this.#note((acct) => this.#house.people.accept(acct, this.#history));
  }

  /** Takes the mark back. */
  async unmark(): Promise<void> {
    await this.#note((acct) => this.#house.people.mark(acct, null));
  }

  /** Looks with the camera for the code on the other screen. Never rejects: `scan` tells. */
  async look(): Promise<void> {
    this.endScan();
    this.scan = { kind: "opening" };
    try {
      const scanner = await CodeScanner.open();
      if (this.scan.kind !== "opening") return scanner.close();
      this.#scanner = scanner;
      this.scan = { kind: "looking", stream: scanner.stream, wrong: false };
      await scanner.read((text) => this.#seen(text));
    } catch (error) {
      if (this.#scanner?.isClosed === true) return;
      this.endScan();
      this.scan = { kind: "failed", failure: { code: cameraCode(failureOf(error).code) } };
    }
  }

  endScan(): void {
    this.#scanner?.close();
    this.#scanner = null;
    this.scan = { kind: "off" };
  }

  close(): void {
    this.endScan();
  }

  /** Whether it was a safety number, and so the end of the search. */
  #seen(text: string): boolean {
    if (this.state.kind !== "ready" && this.state.kind !== "changed") return false;
    const found = compareSafetyCodes(this.state.number.code, text);
    if (found === "other-code") {
      if (this.scan.kind === "looking") this.scan = { ...this.scan, wrong: true };
      return false;
    }
    this.endScan();
    this.scan = { kind: found };
    return true;
  }

  async #isChanged(acct: string): Promise<boolean> {
    try {
      await this.#house.people.meet(acct, null);
      return false;
    } catch (error) {
      if (isCode(error, "safety-number-changed")) return true;
      throw error;
    }
  }

  #show(kind: "ready" | "changed", acct: string, number: NumberWith): void {
    const { pin, verified } = this.#house.people.contact(acct) ?? {};
    const isMarked = kind === "ready" && verified?.sign === number.sign;
    this.state = {
      kind,
      number,
      verifiedAt: isMarked ? verified.at : null,
      hasFollowed: kind === "ready" && (pin?.former.length ?? 0) > 0,
    };
  }

  async #note(work: (acct: string, shown: { number: NumberWith }, isNew: boolean) => Promise<void>): Promise<void> {
    const shown = this.state;
    if (this.isBusy || (shown.kind !== "ready" && shown.kind !== "changed")) return;
    this.isBusy = true;
    try {
      const acct = this.#house.people.acctOf(this.#typed);
      await work(acct, shown, shown.kind === "changed");
      this.#show("ready", acct, shown.number);
    } catch (error) {
      this.state = { kind: "failed", failure: failureOf(error) };
    } finally {
      this.isBusy = false;
    }
  }
}

/** Why there is no camera, as the screens' words know it. */
function cameraCode(code: string): string {
  if (code === "none") return "no-camera";
  return ["denied", "busy", "insecure"].includes(code) ? `camera-${code}` : code;
}
