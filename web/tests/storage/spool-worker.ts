/** A worker that does to a spool what a test asks: only workers may write. */

import { Spool } from "../../src/storage/spool";

export type SpoolOrder =
  | { do: "make"; id: string }
  | { do: "append" | "side"; data: Uint8Array<ArrayBuffer> }
  | { do: "read"; offset: number; length: number }
  | { do: "settle" | "close" };
export type SpoolAnswer = { size: number; data?: Uint8Array<ArrayBuffer>; code?: string };

let spool: Spool | null = null;

async function obey(order: SpoolOrder): Promise<Omit<SpoolAnswer, "size">> {
  if (order.do === "make") spool = await Spool.make(order.id);
  if (spool === null) throw new Error("make it first");
  if (order.do === "append") spool.append(order.data);
  if (order.do === "side") spool.writeSide(order.data);
  if (order.do === "settle") await spool.settle();
  if (order.do === "close") spool.close();
  return order.do === "read" ? { data: await spool.read(order.offset, order.length) } : {};
}

globalThis.onmessage = async (event: MessageEvent<SpoolOrder>) => {
  try {
    const answer = await obey(event.data);
    postMessage({ size: spool?.size ?? 0, ...answer } satisfies SpoolAnswer);
  } catch (error) {
    postMessage({
      size: spool?.size ?? 0,
      code: (error as { code?: string }).code ?? String(error),
    } satisfies SpoolAnswer);
  }
};
