// Verification is strict RFC 8032 without cofactor: where libraries differ, this is the answer.

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { expect, test } from "vitest";
import { newSigningKey, sign, signingKey, verify } from "../../src/crypto/signing";
import { concat, utf8 } from "../../src/protocol/encoding";
import { outcome, unhex } from "../protocol/vectors";

const { Point } = ed25519;
const L = Point.Fn.ORDER;
const message = utf8("a message");

function number(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function bytes(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, at) => Number((value >> BigInt(8 * at)) & 255n));
}

async function codeOf(key: Uint8Array, signature: Uint8Array, signed = message) {
  return (await outcome(() => verify(key, signature, signed))).code;
}

test("a key with a part of small order passes the check with cofactor, and not ours", async () => {
  const torsion = Point.fromBytes(unhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"));
  const secret = 7_777_777n;
  const key = Point.BASE.multiply(secret).add(torsion).toBytes();
  const codes = new Map<string | null, number>();
  for (let nonce = 1n; nonce <= 24n; nonce++) {
    const r = Point.BASE.multiply(nonce).toBytes();
    const k = number(sha512(concat(r, key, message))) % L;
    const signature = concat(r, bytes((nonce + k * secret) % L));
    expect(ed25519.verify(signature, message, key, { zip215: true })).toBe(true); // the negative control
    const code = await codeOf(key, signature);
    expect(code).toBe(k % 8n === 0n ? null : "signature-bad");
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  expect(codes.get("signature-bad")).toBeGreaterThan(10);
});

test("a signature is refused with S or length of another spelling, and over other bytes", async () => {
  const key = newSigningKey();
  const signature = sign(key, message);
  expect(await codeOf(key.public, signature)).toBe(null);
  const s = number(signature.subarray(32));
  expect(await codeOf(key.public, concat(signature.subarray(0, 32), bytes(s + L)))).toBe("signature-bad");
  expect(await codeOf(key.public, signature.subarray(0, 63))).toBe("signature-bad");
  expect(await codeOf(key.public, concat(signature, new Uint8Array(1)))).toBe("signature-bad");
  expect(await codeOf(key.public, signature, utf8("another"))).toBe("signature-bad");
  expect(await codeOf(newSigningKey().public, signature)).toBe("signature-bad");
  expect(await codeOf(key.public.subarray(1), signature)).toBe("signing-key-bad");
  expect(() => signingKey(new Uint8Array(31))).toThrow(RangeError);
});

test("a key that is not on the curve fits no signature", async () => {
  const y = bytes(2n);
  expect(() => Point.fromBytes(y)).toThrow();
  expect(await codeOf(y, sign(newSigningKey(), message))).toBe("signature-bad");
});
