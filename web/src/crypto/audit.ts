// The chain of deletions that a server keeps for an account, checked (docs/protocol/audit.md).

import { sha256 } from "@noble/hashes/sha2.js";
import { b64, concat, utf8 } from "../protocol/encoding";
import { BadJson, parse } from "../protocol/ijson";
import { integer, nullable, struct, text, word, type Shaped } from "../protocol/shape";

const lineShape = struct({
  seq: integer(1),
  at: integer(),
  act: word("deleted", "expired", "removed"),
  message: text(64),
  by: nullable(text(64)),
  details: text(64),
  prev: text(64),
});

/**
 * What the server noted of a message: its sender took it back (`by`), its time was over, or the bytes of its video are gone from the
 * store. `details` is the hash that every envelope signs.
 */
export type AuditLine = Shaped<typeof lineShape>;

/** A line that a device has seen: the last one. */
export interface AuditHead {
  readonly seq: number;
  readonly sha256: string;
}

/** The server's list does not hold together, or is not the one that it gave before. */
export class AuditRewritten extends Error {
  readonly code = "audit-rewritten";
  override readonly name = "AuditRewritten";
}

/** What the first line names as the one before. */
const START = b64(new Uint8Array(32));
const LABEL = utf8("restante/1 audit\0");

export function hashOfLine(line: string): string {
  return b64(sha256(concat(LABEL, utf8(line))));
}

/** Checks the lines that the server still has, the oldest first; `seen` is the head after them. @throws AuditRewritten */
export function followAudit(
  texts: readonly string[],
  before: AuditHead | null,
): { lines: AuditLine[]; seen: AuditHead | null } {
  const lines = texts.map(readLine);
  const hashes = texts.map(hashOfLine);
  for (const [index, line] of lines.entries()) {
    const last = lines[index - 1];
    if (last && line.seq !== last.seq + 1) throw new AuditRewritten(`line ${last.seq + 1} is missing`);
    const named = last ? hashes[index - 1] : line.seq === 1 ? START : line.prev; // the first may follow one that is too old
    if (line.prev !== named) throw new AuditRewritten(`line ${line.seq} follows another one`);
  }
  compare(lines, hashes, before);
  const [end, sha256] = [lines.at(-1), hashes.at(-1)];
  return { lines, seen: end && sha256 !== undefined ? { seq: end.seq, sha256 } : before };
}

/** What was seen before is still there, or gone from the front for its age. */
function compare(lines: readonly AuditLine[], hashes: readonly string[], before: AuditHead | null): void {
  if (before === null) return;
  if ((lines.at(-1)?.seq ?? 0) < before.seq) throw new AuditRewritten(`line ${before.seq} is missing`);
  const at = lines.findIndex(({ seq }) => seq === before.seq);
  if (at >= 0 && hashes[at] !== before.sha256) throw new AuditRewritten(`line ${before.seq} is another one`);
  const next = lines.find(({ seq }) => seq === before.seq + 1);
  if (next && next.prev !== before.sha256) throw new AuditRewritten(`line ${next.seq} follows another one`);
}

function readLine(line: string): AuditLine {
  try {
    return lineShape(parse(utf8(line)), "line");
  } catch (error) {
    if (error instanceof BadJson) throw new AuditRewritten("a line that cannot be read", { cause: error });
    throw error;
  }
}
