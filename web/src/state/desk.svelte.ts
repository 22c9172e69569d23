/** The operator's desk: how the server is, how much it is used, what was reported, and what operators did. */

import type { Kind } from "../crypto/details";
import type { RemoteVideo, VideoDetails } from "../crypto/service";
import { MessagePlayer } from "../media/player";
import { unb64 } from "../protocol/encoding";
import type { components } from "../protocol/api";
import type { Body } from "../transfer/http";
import { rangedVideo, type RangedVideo } from "../transfer/ranges";
import { refusedBy, type DeskPhase } from "./desk-phase";
import { failureOf, type Failure } from "./failure";
import type { House } from "./house.svelte";
import { Verification } from "./verification.svelte";

type Schemas = components["schemas"];
export type Examined = Schemas["Examined"];
export type DeskUsage = Schemas["DeskUsage"];
export type DeskReport = Schemas["DeskReport"];
export type Act = Body<"post", "/api/v1/operator/reports/{report_id}/decision">["act"];

export interface DeskView {
  health: readonly Examined[];
  usage: DeskUsage;
  reports: readonly DeskReport[];
}

/** The one message that a report discloses. */
export interface Disclosed {
  report: string;
  words: string;
  film: VideoDetails | null;
}

type Tools = Pick<House, "api" | "crypto" | "part" | "signal">;

export class DeskState {
  phase: DeskPhase<DeskView> = $state.raw({ kind: "loading" });
  /** Whether reports that were decided are shown, too. */
  all = $state(false);
  /** The report that is being decided on or opened. */
  working: string | null = $state(null);
  refused: { report: string; failure: Failure } | null = $state.raw(null);
  disclosed: Disclosed | null = $state.raw(null);
  readonly #tools: Tools;
  #source: RangedVideo | null = null;
  #video: RemoteVideo | null = null;

  constructor(tools: Tools) {
    this.#tools = tools;
  }

  /** Asks for everything. Never rejects: `phase` tells. */
  async look(): Promise<void> {
    try {
      const { api } = this.#tools;
      const query = { all: String(this.all) };
      const [health, usage, reports] = await Promise.all([
        api.get("/api/v1/operator/health"),
        api.get("/api/v1/operator/usage"),
        api.get("/api/v1/operator/reports", { query }),
      ]);
      this.phase = { kind: "ready", desk: { health: health.items, usage, reports: reports.items } };
    } catch (error) {
      if (!this.#tools.signal.aborted) this.phase = refusedBy(error);
    }
  }

  /** Shows those that were decided as well, or only those that wait. Never rejects. */
  async show(all: boolean): Promise<void> {
    this.all = all;
    await this.look();
  }

  /** Decides on a report; who this is may be asked first. Never rejects. */
  async decide(report: string, act: Act, reason: string): Promise<void> {
    await this.#work(report, async () => {
      const { api } = this.#tools;
      const path = { report_id: report };
      await this.#tools
        .part(Verification)
        .run(() => api.post("/api/v1/operator/reports/{report_id}/decision", { act, reason }, { path }), "desk");
      this.hide();
      await this.look();
    });
  }

  /** Opens the one message of a report, here. That somebody looked is noted by the server first. Never rejects. */
  async open(report: string): Promise<void> {
    await this.#work(report, async () => {
      const { api, crypto, signal } = this.#tools;
      const path = { report_id: report };
      const told = await this.#tools
        .part(Verification)
        .run(() => api.post("/api/v1/operator/reports/{report_id}/disclosure", undefined, { path }), "look");
      const { key, kind, details: sha256 } = envelopeOf(unb64(told.container));
      const details = await crypto.openDetails(unb64(told.details), key, { sha256, kind });
      this.hide();
      const film = told.video_bytes === null ? null : (details.video ?? null);
      if (film) {
        this.#source = rangedVideo(report, film.size, { signal }, "operator/reports");
        this.#video = await crypto.openVideo(key, this.#source, film.sha256);
      }
      const words = details.caption ?? details.text ?? details.reaction ?? "";
      this.disclosed = { report, words, film };
      await this.look();
    });
  }

  /** Plays the opened one into an element; the returned function ends it. */
  play(element: HTMLVideoElement): () => void {
    const [video, film] = [this.#video, this.disclosed?.film];
    if (video === null || !film) return () => undefined;
    const player = new MessagePlayer(element, video, { ms: film.ms, type: film.type });
    player.onState = (state) => {
      if (state.kind === "failed" && this.disclosed)
        this.refused = { report: this.disclosed.report, failure: failureOf(state.reason) };
    };
    void player.open();
    return () => player.close();
  }

  /** Forgets the opened one. */
  hide(): void {
    this.#video?.close();
    this.#source?.close();
    [this.#video, this.#source, this.disclosed] = [null, null, null];
  }

  async #work(report: string, work: () => Promise<void>): Promise<void> {
    if (this.working !== null) return;
    [this.working, this.refused] = [report, null];
    try {
      await work();
    } catch (error) {
      if (!this.#tools.signal.aborted && failureOf(error).code !== "closed")
        this.refused = { report, failure: failureOf(error) };
    } finally {
      this.working = null;
    }
  }
}

type Disclosing = { key: string; kind: Kind; details: string };

/** What a disclosed container (docs/protocol) says; the server has checked its signature and that it was sent here. */
function envelopeOf(container: Uint8Array): Disclosing {
  const text = new TextDecoder().decode(container).split("\n").slice(3).join("\n");
  return JSON.parse(text) as Disclosing;
}
