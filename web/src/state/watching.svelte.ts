/** One message being watched: opened, verified part by part, played while it comes, saved as a file. */

import { parseCaptions, type Cue } from "../media/captions";
import { MessagePlayer, type PlayerState } from "../media/player";
import type { RemoteVideo, VideoDetails } from "../crypto/service";
import { rangedVideo, type RangedVideo } from "../transfer/ranges";
import { Keeping } from "./keeping.svelte";
import { Problem } from "../transfer/problem";
import { fileName, fileOf, giveFile } from "./downloads";
import { failureOf, Refused, type Failure } from "./failure";
import type { House } from "./house.svelte";
import { InboxState } from "./inbox.svelte";
import { LeftOff } from "./left-off";
import { isOnce, onceLock, type Content, type Letter, type SentLetter } from "./letters";
import { isGone } from "./box";
import { SentState } from "./sent.svelte";

export type WatchPhase =
  | { kind: "opening" }
  | { kind: "ready" }
  | { kind: "cut-off"; atMs: number }
  | { kind: "damaged"; atMs: number }
  | { kind: "refused"; failure: Failure }
  | { kind: "offline" };

const NOTED_EVERY_MS = 4000;

export class WatchingState {
  readonly id: string;
  phase: WatchPhase = $state.raw({ kind: "opening" });
  saving: number | null = $state(null);
  /** What the video is, once it is open. */
  film: VideoDetails | null = $state.raw(null);
  captions: readonly Cue[] = $state.raw([]);
  /** Where it was left on this device; it goes on from there. */
  leftMs = $state(0);
  /** The network is away; it goes on by itself. */
  isHeld = $state(false);
  /** Which of the two boxes it lies in; null until it is found. */
  box: "inbox" | "sent" | null = $state(null);
  readonly inbox: InboxState;
  readonly sent: SentState;
  readonly #house: House;
  readonly #closed = new AbortController();
  readonly #left: LeftOff;
  readonly #unlisten: () => void;
  /** Ends the hold on a video that is to be watched once; settles when it has ended. */
  #release: () => Promise<void> = () => Promise.resolve();
  #source: RangedVideo | null = null;
  #video: RemoteVideo | null = null;

  constructor(house: House, id: string) {
    this.#house = house;
    this.id = id;
    this.inbox = house.part(InboxState);
    this.sent = house.part(SentState);
    this.#left = house.part(LeftOff);
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

  /** The next one that was not played yet. */
  get next(): Letter | null {
    const waiting = this.inbox.letters.filter(
      ({ id, playedAt, content }) => id !== this.id && playedAt === null && content?.video,
    );
    return this.box === "inbox" ? (waiting[0] ?? null) : null;
  }

  /** Opens it, again if it did not open. Never rejects: `phase` tells. */
  async open(): Promise<void> {
    this.#letGo();
    this.phase = { kind: "opening" };
    this.film = null;
    this.isHeld = false;
    try {
      const letter = await this.#find();
      await this.#hold(letter);
      await this.#openVideo(letter);
    } catch (error) {
      if (!this.#closed.signal.aborted) this.phase = refusedBy(error);
    }
  }

  /** Plays into an element; the returned function ends it. */
  play(element: HTMLVideoElement): () => void {
    const [video, film] = [this.#video, this.film];
    if (video === null || film === null) return () => undefined;
    const playable = { ms: film.ms, type: film.type, startS: this.leftMs / 1000, isPassing };
    const player = new MessagePlayer(element, video, playable);
    player.onState = (state) => this.#hear(state);
    const gone = new AbortController();
    element.addEventListener("playing", () => void this.#notePlayed(), { once: true, signal: gone.signal });
    const note = this.#notePlaces(element, film.ms, gone.signal);
    void player.open();
    return () => {
      gone.abort();
      note();
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
   * Deletes one's own copy; the inbox offers to bring it back. One's own message is taken back from everybody, and the list of
   * what was sent offers to undo that.
   */
  delete(): void {
    if (this.box === "sent") return this.sent.takeBack(this.id);
    void this.#left.forget(this.id);
    void this.#house.part(Keeping).drop(this.id);
    this.inbox.delete(this.id);
  }

  close(): void {
    this.#leave();
    this.#closed.abort(new DOMException("closed", "AbortError"));
    this.#unlisten();
    this.#letGo();
  }

  /** What was to be watched once, and was, goes when the person leaves it. */
  #leave(): void {
    const released = this.#release();
    const { letter } = this;
    if (this.inbox.watched === this.id) this.inbox.watched = null;
    if (!letter || !("isSpent" in letter)) return;
    void this.#left.forget(this.id);
    void released.then(() => this.inbox.spend(this.id));
  }

  /** While this window shows it, no other one takes it away. */
  async #hold(letter: Letter | SentLetter): Promise<void> {
    if (this.box !== "inbox" || !isOnce(letter) || this.#closed.signal.aborted) return;
    if ("playedAt" in letter && letter.playedAt !== null && this.inbox.watched !== this.id) {
      void this.inbox.spend(this.id);
      throw new Refused("watched-once");
    }
    if (this.inbox.watched === this.id) return;
    this.inbox.watched = this.id;
    await new Promise<void>((isHeld) => {
      let end = (): void => undefined;
      const ended = new Promise<void>((resolve) => (end = resolve));
      const lock = navigator.locks.request(onceLock(this.id), { mode: "shared" }, () => (isHeld(), ended));
      this.#release = async () => {
        end();
        await lock;
      };
    });
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
    if (content && content.kind !== "video") {
      this.phase = { kind: "ready" }; // words are read where they stand
      return this.#notePlayed();
    }
    if (!content?.video) throw new Refused("needs-newer-version");
    const { video: film } = content;
    const source = this.#sourceOf(film);
    this.#source = source;
    const leftMs = await this.#left.place(this.id);
    const video = await this.#house.crypto.openVideo(content.messageKey, source, film.sha256);
    if (this.#closed.signal.aborted || this.#source !== source) return video.close();
    this.#video = video;
    this.captions = captionsOf(content);
    this.leftMs = leftMs;
    this.film = film;
    this.phase = { kind: "ready" };
  }

  /** What was received stays on this device once it was fetched, but for what is to be watched once; what was sent can be fetched again. */
  #sourceOf(film: VideoDetails): RangedVideo {
    const options = {
      signal: this.#closed.signal,
      onTrouble: (problem: Problem) => this.#noteTrouble(problem),
      onRecovered: () => (this.isHeld = false),
    };
    const isKept = this.box === "inbox" && this.letter !== null && !isOnce(this.letter);
    if (!isKept) return rangedVideo(this.id, film.size, options);
    return this.#house.part(Keeping).source(this.id, film, options);
  }

  /** While it is being opened, nothing can be shown without the network; later the player waits with what it has. */
  #noteTrouble(problem: Problem): void {
    if (this.#video === null) this.phase = refusedBy(problem);
    else this.isHeld = true;
  }

  /** Every few seconds, when it stops, and when it is asked to: a page that is killed loses no more than those seconds. */
  #notePlaces(element: HTMLVideoElement, durationMs: number, signal: AbortSignal): () => void {
    let notedMs = this.leftMs;
    const note = (): void => {
      if (element.readyState === 0) return; // nothing of it was seen
      notedMs = element.currentTime * 1000;
      void this.#left.note(this.id, element.ended ? durationMs : notedMs, durationMs);
    };
    const now = (): void => {
      if (Math.abs(element.currentTime * 1000 - notedMs) >= NOTED_EVERY_MS) note();
    };
    element.addEventListener("timeupdate", () => !element.paused && now(), { signal });
    for (const name of ["pause", "ended"]) element.addEventListener(name, note, { signal });
    return note;
  }

  #hear(state: PlayerState): void {
    if (state.kind === "failed") this.phase = refusedBy(state.reason);
    if (state.kind === "waiting") this.isHeld = true;
    else if (state.kind === "playing" || state.kind === "complete") this.isHeld = false;
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

/** What the server refuses for good (it was deleted) will not come by waiting. */
function isPassing(reason: unknown): boolean {
  return !(reason instanceof Problem) || reason.isPassing;
}

/** Captions that cannot be read keep nobody from watching. */
function captionsOf({ captions, video }: Content): Cue[] {
  try {
    return captions ? parseCaptions(captions, video?.ms) : [];
  } catch {
    return [];
  }
}
