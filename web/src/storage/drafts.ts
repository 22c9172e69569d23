/** Draft records: what is known of a take until the server has confirmed its message. The message key never lies in clear. */

import type { Database, DraftRow } from "./db";
import { StorageError, stored } from "./errors";
import { newDeviceKey, openJson, sealJson } from "./sealing";

/** The server's resource that a take goes up to, with the right to it. */
export interface DraftUpload {
  id: string;
  capability: string;
}

/** What details say of the video; made when the recording has ended. */
export interface DraftVideo {
  size: number;
  sha256: string[];
  type: string;
  ms: number;
  w: number;
  h: number;
}

/** The send as it is repeated, byte for byte, until it is answered; binary in base64url. */
export interface DraftRequest {
  idempotencyKey: string;
  upload: string;
  message: string;
  details: string;
  envelopes: Readonly<Record<string, string>>;
  /** Empty: whoever left it has no account. */
  sent: string;
  /** For guest links, in their order. */
  links?: readonly string[];
}

/** A guest link whose secret is another's or is kept elsewhere; `recipient` is `age1…`. */
export interface DraftLink {
  recipient: string;
  bearerSha256: string;
}

/** Of a take that is left without an account: for whom, and by whose leave. */
export interface DraftCall {
  /** Acct of the owner of the page or of the link. */
  to: string;
  /** Of a page's link: the fingerprint of their key, and its secret (base64url); null: the address did not say. */
  fp: string | null;
  secret: string | null;
  /** The guest link that it answers. */
  link: string | null;
  /** Lets one message be left, until then. */
  token: string;
  untilMs: number;
}

/** What a person wants done with the take. */
export interface DraftWish {
  to: string[];
  caption: string | null;
  /** The message that it answers. */
  replyTo?: string;
  /** How long it lasts, in days from the moment of sending, or until everybody has played it; without: until it is deleted. */
  lasts?: number | "until-played";
  once?: boolean;
  mayForward?: boolean;
  links?: readonly DraftLink[];
  /** Of somebody without an account: how they call themselves, and the secret of the link by which they may be answered. */
  name?: string;
  answer?: string;
}

/** Something that happened during a take: a device that was changed or lost, a smaller picture. */
export interface DraftEvent {
  /** Media time. */
  ms: number;
  kind: string;
  why: string | null;
}

/** The sealed half of a draft. */
export interface DraftContent {
  messageKey: string;
  /** Null while it is being recorded, and after a crash. */
  video: DraftVideo | null;
  poster: { type: "image/webp" | "image/jpeg"; data: string } | null;
  /** WebVTT. */
  captions: string | null;
  upload: DraftUpload | null;
  /** Whether the server has all of it. */
  isStored: boolean;
  wish: DraftWish | null;
  request: DraftRequest | null;
  /** Uploads that are to be taken back when there is a network again. */
  abandoned: DraftUpload[];
  /** In their order; absent in drafts of an older app. */
  events?: readonly DraftEvent[];
  /** Without an account. */
  call?: DraftCall;
}

/** One draft as it was read. */
export interface Draft {
  readonly id: string;
  readonly acct: string;
  readonly createdMs: number;
  /** Non-extractable, of this draft alone; seals the side record. */
  readonly key: CryptoKey;
  readonly content: DraftContent;
}

export interface NewDraft {
  id: string;
  acct: string;
  createdMs: number;
  messageKey: string;
}

/** Of a take that has just begun. */
export function emptyContent(messageKey: string): DraftContent {
  const nothing = { video: null, poster: null, captions: null, upload: null, wish: null, request: null };
  return { messageKey, ...nothing, isStored: false, abandoned: [] };
}

export class Drafts {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Stores a draft: before the first byte of it is sealed, or with all that is known of it. @throws StorageError device-full */
  async make(
    { id, acct, createdMs, messageKey }: NewDraft,
    content: DraftContent = emptyContent(messageKey),
  ): Promise<Draft> {
    const key = await newDeviceKey();
    const sealed = await sealJson(key, labelOf(id), content);
    const row: DraftRow = { id, acct, createdMs, rev: 1, key, sealed };
    await stored(async () => {
      const work = this.#db.transaction("drafts", "readwrite", { durability: "strict" });
      await work.store.add(row);
      await work.done;
    });
    return { id, acct, createdMs, key, content };
  }

  /** @throws StorageError not-on-this-device, sealed-elsewhere */
  async get(id: string): Promise<Draft> {
    return opened(await this.#row(id));
  }

  /** The drafts of an account, newest first; what cannot be read is left out. */
  async all(acct: string): Promise<Draft[]> {
    const rows = (await stored(() => this.#db.getAll("drafts"))).filter((row) => row.acct === acct);
    const drafts = await Promise.all(rows.map(async (row) => opened(row).catch(() => null)));
    return drafts.filter((draft) => draft !== null).sort((one, other) => other.createdMs - one.createdMs);
  }

  /** The ids of every draft of every account: whose spool must stay. */
  async ids(): Promise<string[]> {
    return stored(() => this.#db.getAllKeys("drafts"));
  }

  /** Changes a draft; page and worker may do so at a time, so `change` may run again on what the other stored. @throws StorageError */
  async change(id: string, change: (content: DraftContent) => Partial<DraftContent>): Promise<Draft> {
    for (;;) {
      const row = await this.#row(id);
      const draft = await opened(row);
      const content = { ...draft.content, ...change(draft.content) };
      const sealed = await sealJson(row.key, labelOf(id), content);
      if (await this.#replaced({ ...row, rev: row.rev + 1, sealed })) return { ...draft, content };
    }
  }

  /** Removes the record, and the key in it: what is left in the spool can be opened by nobody. */
  async remove(id: string): Promise<void> {
    await stored(async () => {
      const work = this.#db.transaction("drafts", "readwrite", { durability: "strict" });
      await work.store.delete(id);
      await work.done;
    });
  }

  /** Puts a new draft, complete, in the place of an old one: afterwards there is the one or the other, never both. */
  async replace(old: string, { id, acct, createdMs }: NewDraft, content: DraftContent): Promise<Draft> {
    const key = await newDeviceKey();
    const sealed = await sealJson(key, labelOf(id), content);
    await stored(async () => {
      const work = this.#db.transaction("drafts", "readwrite", { durability: "strict" });
      const row: DraftRow = { id, acct, createdMs, rev: 1, key, sealed };
      await Promise.all([work.store.add(row), work.store.delete(old), work.done]);
    });
    return { id, acct, createdMs, key, content };
  }

  async #row(id: string): Promise<DraftRow> {
    const row = await stored(() => this.#db.get("drafts", id));
    if (row === undefined) throw new StorageError("not-on-this-device");
    return row;
  }

  async #replaced(row: DraftRow): Promise<boolean> {
    return stored(async () => {
      const work = this.#db.transaction("drafts", "readwrite", { durability: "strict" });
      const now = await work.store.get(row.id);
      if (now === undefined) throw new StorageError("not-on-this-device");
      const isMine = now.rev === row.rev - 1;
      if (isMine) await work.store.put(row);
      await work.done;
      return isMine;
    });
  }
}

async function opened(row: DraftRow): Promise<Draft> {
  const { id, acct, createdMs, key } = row;
  // An older version may have stored it, without what has come since.
  const content = { ...emptyContent(""), ...(await openJson<DraftContent>(key, labelOf(id), row.sealed)) };
  return { id, acct, createdMs, key, content };
}

function labelOf(id: string): string {
  return `draft ${id}`;
}
