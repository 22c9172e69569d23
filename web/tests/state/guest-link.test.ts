import { sha256 } from "@noble/hashes/sha2.js";
import { beforeAll, expect, test } from "vitest";
import type { ComposedMessage } from "../../src/crypto/service";
import { b64, unb64 } from "../../src/protocol/encoding";
import { guestAddress, readGuestSecret } from "../../src/state/guest-link";
import { cryptoInProcess } from "./in_process";
import { correspondent, letterOf, type Correspondent } from "./mail";

let ann: Correspondent | undefined;
let sent: (ComposedMessage & { id: string }) | undefined;
const guest = cryptoInProcess().service;

beforeAll(async () => {
  const [one, bob] = await Promise.all([correspondent("ann"), correspondent("bob")]);
  ann = one;
  sent = await letterOf(one, bob, "The garden");
});

async function made(password: string | null) {
  if (!ann || !sent) throw new TypeError("not made yet");
  const link = await ann.crypto.makeLink(unb64(sent.sent), password, Date.now());
  const open = async (tried: string | null) =>
    guest.openLinkEnvelope(unb64(link.envelope), { secret: unb64(link.secret), password: tried }, Date.now());
  return { link, open };
}

test("a link opens the message that was sent, signed by its sender, and the server's claim is that of its bearer", async () => {
  const { link, open } = await made(null);
  const { fields, kind, trust } = await open(null);
  expect([fields.id, fields.from?.acct, trust]).toEqual([sent?.id, "ann@post.example", "first"]);
  const details = await guest.openDetails(unb64(sent?.details ?? ""), fields.key, { sha256: fields.details, kind });
  expect(details.caption).toBe("The garden");
  expect(b64(sha256(unb64(await guest.linkBearer(unb64(link.secret)))))).toBe(link.bearerSha256);
});

test("a link with a password opens by it alone", async () => {
  const { open } = await made("under the third mango");
  await expect(open(null)).rejects.toMatchObject({ code: "envelope-no-match" });
  await expect(open("under the second")).rejects.toMatchObject({ code: "envelope-no-match" });
  expect((await open("under the third mango")).fields.id).toBe(sent?.id);
});

test("an address is read back whole, or not at all", async () => {
  const { link } = await made(null);
  const address = new URL(guestAddress("https://post.example", "lnk_a", link.secret));
  expect(address.pathname).toBe("/m/lnk_a");
  expect(b64(readGuestSecret(address.hash) ?? new Uint8Array(0))).toBe(link.secret);
  for (const cut of ["", "#", address.hash.slice(0, -1), `${address.hash}A`, `${address.hash.slice(0, -1)}!`])
    expect(readGuestSecret(cut)).toBeNull();
});
