/** Words and reactions on their way: kept here first, sealed once, posted until the server has them; they go on after a reload. */

import { newId } from "../protocol/ids";
import { Notes, type Note } from "../storage/notes";
import { formOf } from "../take/form";
import { failureOf, isCode, type Failure } from "./failure";
import type { House } from "./house.svelte";
import { SentState } from "./sent.svelte";

/** Longest words, in UTF-8 bytes. */
export const TEXT_BYTES = 8 * 1024;
const LIMIT_MS = 60_000;

export interface Words {
  readonly kind: Note["kind"];
  /** Acct. */
  readonly to: string;
  readonly text: string;
  readonly replyTo: string | null;
}

export class NotesState {
  /** Those that the list of what was sent may not have yet, the oldest first. */
  going: readonly Note[] = $state.raw([]);
  /** By id: why a person must help. */
  failures: ReadonlyMap<string, Failure> = $state.raw(new Map());
  readonly #house: House;
  readonly #notes: Notes;
  readonly #running = new Set<string>();
  readonly #unlisten: () => void;

  constructor(house: House) {
    this.#house = house;
    this.#notes = new Notes(house.vault);
    this.#unlisten = house.live.listen(({ kind }) => {
      if (kind === "connected") void this.#resume();
    });
    void this.#resume();
  }

  /** Keeps words and sends them. @throws StorageError device-full: then nothing was kept */
  async write(words: Words): Promise<void> {
    const { newMessageKey } = await import("../crypto/video");
    const note: Note = {
      ...words,
      id: newId("msg"),
      createdMs: Date.now(),
      messageKey: newMessageKey(),
      request: null,
    };
    await this.#notes.keep(note);
    this.going = [...this.going, note];
    void this.#send(note.id);
  }

  /** Tries again what needed a person. */
  retry(id: string): void {
    this.#fail(id, null);
    void this.#send(id);
  }

  /** Gives words up that did not leave. */
  async drop(id: string): Promise<void> {
    await this.#notes.drop(id);
    this.#fail(id, null);
    this.going = this.going.filter((note) => note.id !== id);
  }

  close(): void {
    this.#unlisten();
  }

  async #resume(): Promise<void> {
    const kept = await this.#notes.all().catch(() => []);
    const known = new Set(this.going.map(({ id }) => id));
    this.going = [...this.going, ...kept.filter(({ id }) => !known.has(id))];
    for (const { id } of kept) if (!this.failures.has(id)) void this.#send(id);
  }

  /** Never rejects: `failures` tells. */
  async #send(id: string): Promise<void> {
    if (this.#running.has(id)) return;
    this.#running.add(id);
    const { signal } = this.#house;
    try {
      // Two windows that find it must not both seal it: the second would be another message under the same id.
      await navigator.locks.request(`restante-note ${id}`, { signal }, async () => this.#sent(id));
    } catch (error) {
      if (!signal.aborted) this.#fail(id, failureOf(error));
    } finally {
      this.#running.delete(id);
    }
  }

  async #sent(id: string): Promise<void> {
    const note = await this.#notes.get(id);
    if (note === null) return; // another window has sent it, or given it up
    const { api, signal } = this.#house;
    const request = note.request ?? (await api.patiently(() => this.#sealed(note), signal));
    const { body, contentType } = formOf(request);
    const headers = { "content-type": contentType, "idempotency-key": request.idempotencyKey };
    try {
      await api.patiently(async () => {
        const within = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]);
        await api.request("POST", "/api/v1/messages", { headers, body, signal: within });
      }, signal);
    } catch (error) {
      if (!isCode(error, "id-taken")) throw error; // it had left already
    }
    await this.#notes.drop(id);
    this.#house.part(SentState).refresh();
  }

  async #sealed(note: Note): Promise<NonNullable<Note["request"]>> {
    const { crypto, people, account } = this.#house;
    const { id, kind, to, text, replyTo, createdMs, messageKey } = note;
    const record = await people.meetRecipient(to);
    const last = await this.#house.part(SentState).lastTo(to);
    const wanted = {
      ...{ id, kind, createdMs, messageKey, name: account.name },
      details: kind === "text" ? { text } : { reaction: text },
      ...(replyTo !== null && { replyTo }),
      ...(last && { previous: { [to]: last.id } }),
    };
    const { message, details, envelopes, sent } = await crypto.composeMessage(wanted, [record]);
    const request = { message, details, envelopes, sent, idempotencyKey: globalThis.crypto.randomUUID() };
    await this.#notes.keep({ ...note, request });
    return request;
  }

  #fail(id: string, failure: Failure | null): void {
    const failures = new Map(this.failures);
    if (failure === null) failures.delete(id);
    else failures.set(id, failure);
    this.failures = failures;
  }
}
