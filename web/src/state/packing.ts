/** The files of one message as an export has them: the encrypted ones, what opens them with the stock `age` program, and an .mp4. */

import type { CryptoService, VideoDetails } from "../crypto/service";
import { Manifest } from "../crypto/parts";
import { PART_BYTES } from "../protocol/limits";
import { rangedVideo } from "../transfer/ranges";
import { fileOf } from "./downloads";
import { isCode } from "./failure";
import type { OpenedMessage } from "./opener";

export interface ZipEntry {
  readonly name: string;
  readonly input: string | Blob | Uint8Array<ArrayBuffer>;
  readonly lastModified: Date;
  readonly mode?: number;
}

/** What the README of a message's folder says. */
export interface ReadmeFacts {
  readonly id: string;
  /** Null when nobody signed it. */
  readonly from: string | null;
  readonly to: readonly string[];
  readonly createdMs: number;
  readonly caption: string;
  /** `unplayable`: it is there, but could not be made into an .mp4 here. */
  readonly video: "yes" | "no" | "unplayable";
}

interface Packing {
  readonly crypto: Pick<CryptoService, "openVideo">;
  readonly signal: AbortSignal;
  readonly readme: (facts: ReadmeFacts) => string;
  readonly onHeld: (isHeld: boolean) => void;
}

/** Keys are for their owner alone. */
export const PRIVATE = 0o600;

/** Fetches and verifies all of it first: a folder is whole, or not there. @throws Problem, ProtocolError, or as `signal` was aborted */
export async function packed({ envelope, details, sealed }: OpenedMessage, how: Packing): Promise<ZipEntry[]> {
  const { id, created, key } = envelope.fields;
  const lastModified = new Date(created);
  const file = (name: string, input: ZipEntry["input"]): ZipEntry => {
    return { name: `${id}/${name}`, input, lastModified, mode: PRIVATE };
  };
  const age = details.video ? await verified(id, details.video, how) : null;
  const film = age && details.video ? await played(age, details.video, key, how) : null;
  const facts = {
    id,
    from: envelope.fields.from?.acct ?? null,
    to: envelope.fields.sent_to ?? [envelope.fields.to.acct ?? ""],
    createdMs: created,
    caption: details.caption ?? details.text ?? details.reaction ?? "",
    video: age === null ? "no" : film === null ? "unplayable" : "yes",
  } as const;
  return [
    file("README.txt", how.readme(facts)),
    file("details.age", sealed),
    file("key.txt", `# message key of ${id}\n${key}\n`),
    file("envelope.signed", envelope.container as Uint8Array<ArrayBuffer>),
    ...(age ? [file("video.age", age)] : []),
    ...(film ? [file("video.mp4", film)] : []),
  ];
}

/** The encrypted video, each part compared with what its sender signed. The browser keeps large blobs on its disk. */
async function verified(id: string, video: VideoDetails, { signal, onHeld }: Packing): Promise<Blob> {
  const manifest = new Manifest(video.size, video.sha256);
  const options = { signal, onTrouble: () => onHeld(true), onRecovered: () => onHeld(false) };
  const source = rangedVideo(id, video.size, options);
  try {
    const parts: Blob[] = [];
    for (const index of video.sha256.keys()) {
      const part = await source.read(index * PART_BYTES, manifest.partSize(index));
      await manifest.check(index, part);
      parts.push(new Blob([part]));
    }
    return new Blob(parts);
  } finally {
    source.close();
  }
}

/** Null where this browser cannot make an ordinary file of it. */
async function played(age: Blob, video: VideoDetails, key: string, { crypto, signal }: Packing): Promise<Blob | null> {
  const read = async (offset: number, length: number): Promise<Uint8Array> =>
    new Uint8Array(await age.slice(offset, offset + length).arrayBuffer());
  const opened = await crypto.openVideo(key, { size: age.size, read }, video.sha256);
  try {
    return await fileOf(opened, () => undefined, signal);
  } catch (error) {
    if (isCode(error, "not-a-video")) return null;
    throw error;
  } finally {
    opened.close();
  }
}
