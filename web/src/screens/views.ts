import type { Failure } from "../state/failure";

/** What did not work, by its stable code; `failures.ts` has the words. */
export type { Failure } from "../state/failure";

/** Somebody, as the screens show them. */
export interface PersonView {
  /** The address here: `ann`. */
  account: string;
  /** What the owner calls them; the address when they have no name yet. */
  name: string;
  /** `new-key`: nobody vouches for it yet; `succeeded`: it is signed with the old one. */
  trust: "verified" | "new-key" | "succeeded" | "none";
}

/** A named list of people. */
export interface GroupView {
  id: string;
  name: string;
  members: readonly PersonView[];
}

export type ReportReason = "spam" | "harassment" | "violence" | "sexual" | "child-safety" | "other";

/** Telling the operator of one message; `contact`: for what cannot wait, or empty. */
export type ReportView =
  { kind: "idle" | "working" } | { kind: "done"; contact: string } | { kind: "failed"; failure: Failure };

/** Passing a message on. */
export type ForwardView =
  { kind: "idle" | "working" } | { kind: "done"; to: readonly PersonView[] } | { kind: "failed"; failure: Failure };

/** How far a video came with one recipient. Times are Unix milliseconds. */
export interface DeliveryView {
  person: PersonView;
  deliveredAt: number | null;
  playedAt: number | null;
  /** What they signed of it; `wrong`: what was shown as their receipt is not theirs. */
  confirmed?: "delivered" | "played" | "wrong";
}

/** A take that is on its way, or kept until somebody sends it. */
export interface OutgoingView {
  id: string;
  picture: string | null;
  durationMs: number;
  recipients: PersonView[];
  /** What the server has acknowledged, 0 to 100, never rounded up. */
  percent: number;
  /** Why it does not move just now. */
  held: "offline" | "server-full" | "signed-out" | "plan" | null;
}

/** A take that the window closed on. */
export interface DraftView {
  id: string;
  picture: string | null;
  durationMs: number;
  recordedAt: number;
  /** False when the browser has cleared it: only its name is left. */
  isHere: boolean;
}

/** Looking somebody up by address. */
export type AddingView =
  { kind: "idle" } | { kind: "looking" } | { kind: "added"; person: PersonView } | { kind: "failed"; failure: Failure };

/** What every screen behind the sign-in shows around its page. */
export interface FrameView {
  /** The address of who is signed in. */
  account: string;
  /** How many wait, for the bar. */
  waiting: number;
  /** No network, or a server that does not answer. */
  offline: boolean;
  /** Goes to an address of this app (`places.ts`). */
  go: (path: string) => void;
  /** Whether keys of one letter count. */
  letters: boolean;
}
