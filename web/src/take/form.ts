/** `multipart/form-data` written by hand, since a request that is repeated must be the same bytes. */

import { concat, unb64, utf8 } from "../protocol/encoding";
import type { DraftRequest } from "../storage/drafts";

export interface Form {
  body: Uint8Array<ArrayBuffer>;
  contentType: string;
}

/** The form of docs/reference/messages.md. Names need no quoting: they are of a-z, 0-9, `_`, `-` and `:`. */
export function formOf(request: Omit<DraftRequest, "upload">): Form {
  const boundary = `restante-${request.idempotencyKey}`;
  const pieces = [
    part(boundary, "message", "application/json", utf8(request.message)),
    part(boundary, "details", OCTETS, unb64(request.details)),
    ...(request.sent === "" ? [] : [part(boundary, "sent", OCTETS, unb64(request.sent))]),
    ...Object.entries(request.envelopes).map(([name, each]) => part(boundary, `envelope:${name}`, OCTETS, unb64(each))),
    ...(request.links ?? []).map((each, place) => part(boundary, `link:${place}`, OCTETS, unb64(each))),
  ];
  return {
    body: concat(...pieces, utf8(`--${boundary}--\r\n`)),
    contentType: `multipart/form-data; boundary=${boundary}`,
  };
}

const OCTETS = "application/octet-stream";

function part(boundary: string, name: string, type: string, data: Uint8Array): Uint8Array {
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\nContent-Type: ${type}\r\n\r\n`;
  return concat(utf8(head), data, utf8("\r\n"));
}
