// Safety numbers: what two people compare to know that nobody sits between them (docs/protocol/account-record.md).

import { sha512 } from "@noble/hashes/sha2.js";
import { compareBytes, concat, utf8 } from "../protocol/encoding";
import { writeSafetyCode } from "./safety-code";

/** `raw` are the 60 bytes, `groups` twelve groups of five digits, `code` what a QR code says. */
export interface SafetyNumber {
  readonly raw: Uint8Array;
  readonly groups: readonly string[];
  readonly code: string;
}

const RAW_BYTES = 60;
const GROUP_BYTES = 5;

interface Side {
  readonly acct: string;
  /** The signing public key. */
  readonly sign: Uint8Array;
}

/** Computes the number of two accounts; the order does not matter. */
export function safetyNumber(one: Side, other: Side): SafetyNumber {
  const sides = [one, other].map(({ acct, sign }) => concat(utf8(`${acct}\0`), sign)).sort(compareBytes);
  const raw = sha512(concat(utf8("restante/1 safety\0"), ...sides)).slice(0, RAW_BYTES);
  const starts = Array.from({ length: RAW_BYTES / GROUP_BYTES }, (_, index) => index * GROUP_BYTES);
  const groups = starts.map((start) => digits(raw.subarray(start, start + GROUP_BYTES)));
  return { raw, groups, code: writeSafetyCode(raw) };
}

function digits(group: Uint8Array): string {
  const number = group.reduce((sum, byte) => sum * 256 + byte, 0);
  return String(number % 100_000).padStart(5, "0");
}
