/** One message being watched: opened, verified part by part, played while it comes, saved as a file. */

import { MessagePlayer, type PlayerState } from "../media/player";
import type { RemoteVideo, VideoDetails } from "../crypto/service";
import { rangedVideo, type RangedVideo } from "../transfer/ranges";
import type { Problem } from "../transfer/problem";
import { fileName, fileOf, giveFile } from "./downloads";
import { failureOf, Refused, type Failure } from "./failure";
import type { House } from "./house.svelte";
import { InboxState } from "./inbox.svelte";
import type { Letter, SentLetter } from "./letters";
import { isGone } from "./box";
import { SentState } from "./sent.svelte";

export type WatchPhase =
  | { kind: "opening" }
  | { kind: "ready" }
  | { kind: "cut-off"; atMs: number }
  | { kind: "damaged"; atMs: number }
  | { kind: "refused"; failure: Failure }
  | { kind: "offline" };

export class WatchingState {
  readonly id: string;
  phase: WatchPhase = $state.raw({ kind: "opening" });
  saving: number | null = $state(null);
  /** What the video is, once it is open. */
  film: VideoDetails | null = $state.raw(null);
  /** Which of the two boxes it lies in; null until it is found. */
  box: "inbox" | "sent" | null = $state(null);
  readonly inbox: InboxState;
  readonly sent: SentState;
  readonly #house: House;
  readonly #closed = new AbortController();
  readonly #unlisten: () => void;
  #source: RangedVideo | null = null;
  #video: RemoteVideo | null = null;

  constructor(house: House, id: string) {
    this.#house = house;
    this.id = id;
    this.inbox = house.part(InboxState);
    this.sent = house.part(SentState);
    this.#unlisten = house.live.listen(({ kind }) => {
      if (kind === "connected" && this.phase.kind === "offline" && this.#source === null) void this.open();
    });
    void this.open();
  }

  /** What is known of it now; marks change while it is watched. */
  get letter(): Letter | SentLetter | null {
    if (this.box === "sent") return this.sent.letter(this.id);
    return this.inbox.letters.find((letter) => letter.id === this.id) ?? null;
  }

  /** Opens it, again if it did not open. Never rejects: `phase` tells. */
  async open(): Promise<void> {
    this.#letGo();
    this.phase = { kind: "opening" };
    this.film = null;
    try {
      await this.#openVideo(await this.#find());
    } catch (error) {
      if (!this.#closed.signal.aborted) this.phase = refusedBy(error);
    }
  }

  /** Plays into an element; the returned function ends it. */
  play(element: HTMLVideoElement): () => void {
    const [video, film] = [this.#video, this.film];
    if (video === null || film === null) return () => undefined;
    const player = new MessagePlayer(element, video, { ms: film.ms, type: film.type });
    player.onState = (state) => this.#hear(state);
    const played = (): void => void this.#notePlayed();
    element.addEventListener("playing", played, { once: true });
    void player.open();
    return () => {
      element.removeEventListener("playing", played);
      player.close();
    };
  }

  /** Saves it as an ordinary file. What does not verify is not saved: `phase` says why. */
  async save(name: string): Promise<void> {
    const letter = this.letter;
    if (this.saving !== null || this.#video === null || !letter) return;
    this.saving = 0;
    try {
      const file = await fileOf(this.#video, (percent) => (this.saving = percent), this.#closed.signal);
      giveFile(file, fileName(name, letter.content?.createdMs ?? letter.receivedAt));
    } catch (error) {
      if (!this.#closed.signal.aborted) this.phase = refusedBy(error);
    } finally {
      this.saving = null;
    }
  }

  /**
   * Deletes one's own copy; the inbox offers to bring it back. One's own message is taken back from everybody. Never rejects;
   * tells whether it is done.
   */
  async delete(): Promise<boolean> {
    if (this.box === "sent") return this.sent.takeBack(this.id);
    this.inbox.delete(this.id);
    return true;
  }

  close(): void {
    this.#closed.abort(new DOMException("closed", "AbortError"));
    this.#unlisten();
    this.#letGo();
  }

  async #find(): Promise<Letter | SentLetter> {
    try {
      const letter = await this.inbox.find(this.id);
      this.box = "inbox";
      return letter;
    } catch (error) {
      if (!isGone(error)) throw error;
      const letter = await this.sent.find(this.id).catch(() => Promise.reject(error as Error));
      this.box = "sent";
      return letter;
    }
  }

  async #openVideo({ content, code }: Letter | SentLetter): Promise<void> {
    if (code !== null) throw new Refused(code);
    if (!content?.video) throw new Refused("needs-newer-version");
    const { size, sha256 } = content.video;
    const source = rangedVideo(this.id, size, {
      signal: this.#closed.signal,
      onTrouble: (problem) => this.#noteTrouble(problem),
    });
    this.#source = source;
    const video = await this.#house.crypto.openVideo(content.messageKey, source, sha256);
    if (this.#closed.signal.aborted || this.#source !== source) return video.close();
    this.#video = video;
    this.film = content.video;
    this.phase = { kind: "ready" };
  }

  /** While it is being opened, nothing can be shown without the network; later the player waits with what it has. */
  #noteTrouble(problem: Problem): void {
    if (this.#video === null) this.phase = refusedBy(problem);
  }

  #hear(state: PlayerState): void {
    if (state.kind === "unplayable") this.phase = { kind: "refused", failure: { code: "not-a-video" } };
    if (state.kind === "cut-off" || state.kind === "damaged") {
      this.phase = { kind: state.kind, atMs: Math.floor(state.atS * 1000) };
    }
  }

  async #notePlayed(): Promise<void> {
    if (this.box !== "inbox") return;
    await this.inbox.played(this.id).catch(() => undefined); // stays owed, and is told later
  }

  #letGo(): void {
    this.#video?.close();
    this.#source?.close();
    this.#video = null;
    this.#source = null;
  }
}

function refusedBy(error: unknown): WatchPhase {
  const failure = failureOf(error);
  return failure.code === "offline" ? { kind: "offline" } : { kind: "refused", failure };
}
