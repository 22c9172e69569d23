/** What the server noted of deletions, checked against what this device saw before. */

import { followAudit, type AuditHead, type AuditLine } from "../crypto/audit";
import type { Api } from "../transfer/http";
import { malformed } from "../transfer/problem";
import { failureOf, type Failure } from "./failure";
import type { Memory } from "./memory";

export type DeletionsPhase =
  | { kind: "loading" }
  | { kind: "ready"; lines: readonly AuditLine[] }
  | { kind: "failed"; failure: Failure }
  | { kind: "offline" };

export interface DeletionsHouse {
  readonly api: Pick<Api, "get">;
  readonly memory: Pick<Memory, "audit" | "note">;
}

const PAGES = 1000;

export class DeletionsState {
  phase: DeletionsPhase = $state.raw({ kind: "loading" });
  readonly #house: DeletionsHouse;

  constructor(house: DeletionsHouse) {
    this.#house = house;
  }

  /** Never rejects: `phase` tells; the newest first. */
  async look(): Promise<void> {
    try {
      this.phase = { kind: "ready", lines: (await readDeletions(this.#house)).reverse() };
    } catch (error) {
      const failure = failureOf(error);
      this.phase = failure.code === "offline" ? { kind: "offline" } : { kind: "failed", failure };
    }
  }
}

/** Every line that the server still has, the oldest first; what was seen is remembered. @throws AuditRewritten, Problem */
export async function readDeletions({ api, memory }: DeletionsHouse): Promise<AuditLine[]> {
  const { lines, seen } = followAudit(await texts(api), memory.audit);
  if (seen !== null && !isSame(seen, memory.audit)) await memory.note({ audit: seen });
  return lines;
}

async function texts(api: Pick<Api, "get">): Promise<string[]> {
  const found: string[] = [];
  let after = 0;
  for (let page = 0; page < PAGES; page++) {
    const { items, more } = await api.get("/api/v1/account/audit", { query: { after } });
    found.push(...items.map(({ line }) => line));
    if (!more || items.length === 0) return found;
    after = seqOf(items.at(-1)?.line ?? "");
  }
  throw malformed("a list without end");
}

function seqOf(line: string): number {
  const seq = Number(/"seq":(\d{1,15})\b/u.exec(line)?.[1]);
  if (!Number.isInteger(seq)) throw malformed("a line of the list of deletions");
  return seq;
}

function isSame(one: AuditHead, other: AuditHead | null): boolean {
  return one.seq === other?.seq && one.sha256 === other.sha256;
}
