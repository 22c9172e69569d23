/** Receipts: what senders hear of what was received here, and what recipients are said to have signed. */

import type { CryptoService, GivenReceipt } from "../crypto/service";
import type { Delivery, Letter, SentWire } from "./letters";
import type { ShardStore } from "./shards";

/** `signed`: with a receipt; `plain`: the server says so, nothing is signed; `off`: nobody is told. */
export type Receipts = "signed" | "plain" | "off";

export interface ReceiptTools {
  readonly crypto: Pick<CryptoService, "writeReceipt" | "checkReceipts">;
  readonly shards: Pick<ShardStore, "need">;
  readonly settings: { readonly receipts: Receipts };
}

/** Of whatever was stored; `plain` until the owner has chosen. */
export function receiptsOf(stored: unknown): Receipts {
  return stored === "signed" || stored === "off" ? stored : "plain";
}

/** How a received message is marked, as the owner chose. */
export async function markOf(
  tools: ReceiptTools,
  letter: Letter,
  mark: "fetched" | "played",
): Promise<{ mark: "fetched" | "played"; tell: boolean; receipt: string | null }> {
  const { receipts } = tools.settings;
  const receipt = receipts === "signed" ? await written(tools, letter, mark) : null;
  return { mark, tell: receipts !== "off", receipt };
}

/** Nobody but who signed the message itself can have one. */
async function written({ crypto }: ReceiptTools, letter: Letter, mark: "fetched" | "played"): Promise<string | null> {
  const { id, from, signed } = letter;
  if (from === null || signed === undefined) return null;
  const atMs = mark === "played" ? letter.playedAt : letter.fetchedAt;
  return crypto.writeReceipt({ id, from, ...signed }, mark === "played" ? "played" : "delivered", atMs ?? Date.now());
}

/** The deliveries of a sent message with what their receipts come to. @throws Problem while the contacts are not known */
export async function withReceipts(
  tools: ReceiptTools,
  sent: { readonly id: string; readonly details: string; readonly deliveries: readonly Delivery[] },
  wire: Pick<SentWire, "deliveries">,
): Promise<readonly Delivery[]> {
  const given = sent.deliveries.flatMap(({ acct }) => givenBy(acct, wire));
  if (given.length === 0) return sent.deliveries;
  await tools.shards.need("contacts");
  const message = { id: sent.id, details: sent.details, sentTo: sent.deliveries.map(({ acct }) => acct) };
  const checked = await tools.crypto.checkReceipts(message, given, Date.now());
  const words = new Map(given.map(({ by, kind }, at) => [by, checked[at]?.code === null ? kind : "wrong"] as const));
  return sent.deliveries.map((delivery) => {
    const confirmed = words.get(delivery.acct);
    return confirmed === undefined ? delivery : { ...delivery, confirmed };
  });
}

/** The one that says most. */
function givenBy(acct: string, { deliveries }: Pick<SentWire, "deliveries">): GivenReceipt[] {
  const found = deliveries.find(({ recipient }) => recipient === acct.split("@")[0]);
  if (typeof found?.play_receipt === "string") return [{ by: acct, kind: "played", raw: found.play_receipt }];
  if (typeof found?.delivery_receipt === "string")
    return [{ by: acct, kind: "delivered", raw: found.delivery_receipt }];
  return [];
}
