/** One take on its way from the camera to its recipients: looked at, addressed, sent. */

import { recoverDraft } from "../take/recovery";
import { MessagePlayer } from "../media/player";
import type { RemoteVideo } from "../crypto/service";
import { Drafts, type DraftVideo, type DraftWish } from "../storage/drafts";
import { fileName, fileOf, giveFile } from "./downloads";
import { Editing, type Cut } from "./drafts-editing.svelte";
import { DraftsState, GREETING } from "./drafts.svelte";
import { isId } from "../protocol/ids";
import { GroupsState } from "./groups.svelte";
import { failureOf, isCode, type Failure } from "./failure";
import type { House } from "./house.svelte";
import { SendingState } from "./sending.svelte";

export type ReviewPhase = { kind: "opening" } | { kind: "ready" } | { kind: "failed"; failure: Failure };

/** Longest caption, in UTF-8 bytes: with it, hashes and poster always fit into the details. */
export const CAPTION_BYTES = 32 * 1024;

/** What the sender allows, and how long it lasts: null is until somebody deletes it. */
export interface Terms {
  readonly lasts: number | "until-played" | null;
  readonly once: boolean;
  readonly mayForward: boolean;
}

export class ReviewState {
  readonly id: string;
  phase: ReviewPhase = $state.raw({ kind: "opening" });
  /** What the video is, once it is open. */
  film: DraftVideo | null = $state.raw(null);
  /** Acct of each. */
  recipients: readonly string[] = $state.raw([]);
  caption = $state("");
  terms: Terms = $state.raw(termsOf({}));
  saving: number | null = $state(null);
  /** False when the browser has cleared the video, and the server has all of it: it can still be sent. */
  isHere = $state(true);
  readonly drafts: DraftsState;
  readonly sending: SendingState;
  readonly editing: Editing;
  readonly #house: House;
  readonly #closed = new AbortController();
  readonly #onMoved: (id: string) => void;
  #video: RemoteVideo | null = null;
  #createdMs = Date.now();

  /** @param onMoved an interrupted take was made whole and has this id now. */
  constructor(house: House, id: string, onMoved: (id: string) => void) {
    this.#house = house;
    this.id = id;
    this.#onMoved = onMoved;
    this.drafts = house.part(DraftsState);
    this.sending = house.part(SendingState);
    this.editing = new Editing(new Drafts(house.db), id, () => {
      this.drafts.posters.drop(id);
      return this.drafts.refresh();
    });
    void this.open();
  }

  /** Opens the draft, again if it did not open. Never rejects: `phase` tells. */
  async open(): Promise<void> {
    this.phase = { kind: "opening" };
    try {
      await this.#open();
    } catch (error) {
      if (this.#closed.signal.aborted || this.sending.get(this.id)?.kind === "sent") return;
      this.phase = { kind: "failed", failure: failureOf(error) };
    }
  }

  /** Plays into an element; the returned function ends it. */
  play(element: HTMLVideoElement): () => void {
    const [video, film] = [this.#video, this.film];
    if (video === null || film === null) return () => undefined;
    const player = new MessagePlayer(element, video, { ms: film.ms, type: film.type });
    player.onState = (state) => {
      if (state.kind === "unplayable") this.phase = { kind: "failed", failure: { code: "not-a-video" } };
      if (state.kind === "damaged") this.phase = { kind: "failed", failure: { code: "not-on-this-device" } };
    };
    void player.open();
    return () => player.close();
  }

  async send(): Promise<void> {
    this.phase = { kind: "ready" };
    await this.sending.send(this.id, this.#wish());
  }

  /** What was chosen and typed so far. */
  #wish(): DraftWish {
    const caption = this.caption.trim();
    const replyTo = this.drafts.answering(this.id)?.replyTo ?? null;
    const { lasts, once, mayForward } = this.terms;
    return {
      to: [...this.recipients],
      caption: caption === "" ? null : caption,
      ...(replyTo !== null && { replyTo }),
      ...(lasts !== null && { lasts }),
      ...(once && { once }),
      ...(mayForward && { mayForward }),
    };
  }

  /** Saves it as an ordinary file; also one that does not play here. */
  async save(): Promise<void> {
    if (this.saving !== null) return;
    this.saving = 0;
    try {
      const file = await this.#file();
      giveFile(file, fileName(this.#house.account.name, this.#createdMs));
    } catch (error) {
      if (!this.#closed.signal.aborted) this.phase = { kind: "failed", failure: failureOf(error) };
    } finally {
      this.saving = null;
    }
  }

  /** Cuts the ends off; the take that is left takes this one's place. */
  async trim(cut: Cut): Promise<void> {
    const whole = await this.editing.trim(cut);
    if (whole !== null) this.#move(whole);
  }

  /** Gives the take up. Never rejects; tells whether it is gone, else `phase` says why not. */
  async discard(): Promise<boolean> {
    try {
      await this.drafts.discard(this.id);
      return true;
    } catch (error) {
      this.phase = { kind: "failed", failure: failureOf(error) };
      return false;
    }
  }

  close(): void {
    this.editing.cancel();
    this.#closed.abort(new DOMException("closed", "AbortError"));
    this.#video?.close();
  }

  async #open(): Promise<void> {
    const { content, createdMs } = await new Drafts(this.#house.db).get(this.id);
    this.#createdMs = createdMs;
    if (content.video === null) {
      this.#move(await recoverDraft(this.id));
      return;
    }
    const answers = (await this.drafts.recallAnswer(this.id))?.to ?? null;
    const typed = this.drafts.typed(this.id);
    if (typed !== null) [this.recipients, this.caption] = [typed.to, typed.caption ?? ""];
    if (this.recipients.length === 0) this.recipients = content.wish?.to ?? (await this.#meant(answers));
    if (this.caption === "") this.caption = content.wish?.caption ?? "";
    const terms = typed ?? content.wish;
    if (terms) this.terms = termsOf(terms);
    this.#video?.close();
    const video = await this.#opened(content.isStored);
    if (this.#closed.signal.aborted) return video?.close();
    this.#video = video;
    this.isHere = video !== null;
    this.film = video && content.video;
    await this.editing.recall();
    this.phase = { kind: "ready" };
  }

  /** For whom it was begun: somebody, or everybody of a group. */
  async #meant(to: string | null): Promise<readonly string[]> {
    if (to === null || to === GREETING) return [];
    return isId(to, "grp") ? this.#house.part(GroupsState).membersOf(to) : [to];
  }

  /** Null when there is nothing to look at any more, but it can be sent all the same. */
  async #opened(isStored: boolean): Promise<RemoteVideo | null> {
    const { crypto } = this.#house;
    const { openDraftVideo } = await import("../take/export");
    const opened = { video: null as RemoteVideo | null };
    try {
      await openDraftVideo(
        this.id,
        async (key, source, parts) => (opened.video = await crypto.openVideo(key, source, parts)),
      );
    } catch (error) {
      if (!isStored || !isCode(error, "not-on-this-device")) throw error;
    }
    return opened.video;
  }

  /** Another draft has taken the place of this one. */
  #move(id: string): void {
    this.drafts.moved(this.id, id, { ...this.#wish(), caption: this.caption });
    if (!this.#closed.signal.aborted) this.#onMoved(id);
  }

  async #file(): Promise<Blob> {
    if (this.#video) return fileOf(this.#video, (percent) => (this.saving = percent), this.#closed.signal);
    const { exportDraft } = await import("../take/export");
    return exportDraft(this.id);
  }
}

function termsOf({ lasts, once = false, mayForward = false }: Partial<DraftWish>): Terms {
  return { lasts: lasts ?? null, once, mayForward };
}

/** Saves a draft that is not open as an ordinary file. @throws StorageError, ProtocolError, NotSaveable */
export async function saveDraft(house: House, id: string): Promise<void> {
  const { exportDraft } = await import("../take/export");
  const { createdMs } = await new Drafts(house.db).get(id);
  giveFile(await exportDraft(id), fileName(house.account.name, createdMs));
}
