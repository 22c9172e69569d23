// What a safety number's QR code says (docs/protocol/account-record.md, "Safety number").

import { b64 } from "../protocol/encoding";

const PREFIX = "restante/1 safety ";

/** What somebody else's code says of ours: the same number, another one, or it is no safety number at all. */
export type Comparison = "same" | "different" | "other-code";

export function writeSafetyCode(raw: Uint8Array): string {
  return PREFIX + b64(raw);
}

export function compareSafetyCodes(own: string, scanned: string): Comparison {
  if (scanned === own) return "same";
  return scanned.startsWith(PREFIX) ? "different" : "other-code";
}
