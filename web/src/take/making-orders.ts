/** What a page and the worker that makes drafts say to each other. */

import type { FileFacts } from "../media/file-refused";
import type { News } from "./orders";

export interface Cut {
  fromMs: number;
  toMs: number;
}

export type MakingOrder =
  | {
      type: "import";
      id: string;
      acct: string;
      createdMs: number;
      file: Blob;
      cut: Cut | null;
      sound: "keep" | "leave-out";
    }
  | { type: "trim"; id: string; old: string; cut: Cut }
  | { type: "poster"; id: string; ms: number };

export type MakingNews =
  | News
  | { type: "making"; done: number }
  /** All of it is kept; it may still be on its way to the server. */
  | { type: "made"; id: string }
  | { type: "refused"; code: string; facts: FileFacts };
