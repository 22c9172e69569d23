/** The sealed envelope of one message, as the server has it. */

import { unb64 } from "../protocol/encoding";
import type { Api } from "../transfer/http";
import { malformed } from "../transfer/problem";
import type { InboxWire, SentWire } from "./letters";

/** @throws Problem not-found, message-gone */
export async function fetchEnvelope(api: Api, id: string, box: "inbox" | "sent"): Promise<Uint8Array<ArrayBuffer>> {
  const extras = { path: { message_id: id }, query: { box } };
  const { envelope } = (await api.get("/api/v1/messages/{message_id}", extras)) as InboxWire | SentWire;
  if (envelope === null) throw malformed("a message without its envelope");
  try {
    return unb64(envelope);
  } catch {
    throw malformed("an envelope");
  }
}
