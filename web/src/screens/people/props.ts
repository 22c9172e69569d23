import type { AddingView, Failure, FrameView, GroupView, PersonView } from "../views";

export interface PeopleProps {
  frame: FrameView;
  state: { kind: "loading" } | { kind: "ready" } | { kind: "failed"; failure: Failure } | { kind: "offline" };
  people: readonly PersonView[];
  groups: {
    list: readonly GroupView[];
    /** The name of one that was just given up. */
    deleted: string | null;
    failure: Failure | null;
    /** Tells whether it was made. */
    onmake: (name: string) => Promise<boolean>;
    onundo: () => void;
  };
  adding: AddingView;
  /** By which others add this account; null until it is known. */
  link: string | null;
  /** Looks the address up and keeps it. */
  onadd: (account: string) => void;
  onremove: (account: string) => void;
  onretry: () => void;
  oncopy: (link: string) => void;
}

/** `changed`: a key that nobody vouches for; its number is the one to compare. */
export interface KnownKey {
  kind: "ready" | "changed";
  number: { readonly groups: readonly string[]; readonly code: string };
  /** When the number was compared; null: it was not. */
  verifiedAt: number | null;
  /** It followed another key, which signed it. */
  hasFollowed: boolean;
}

export type ScanView =
  | { kind: "off" | "opening" | "same" | "different" }
  /** `wrong`: a code was seen that is no safety number. */
  | { kind: "looking"; stream: MediaStream; wrong: boolean }
  | { kind: "failed"; failure: Failure };

export interface PersonProps {
  frame: FrameView;
  person: PersonView;
  state: { kind: "loading" } | { kind: "offline" } | { kind: "failed"; failure: Failure } | KnownKey;
  scan: ScanView;
  blocked: boolean;
  onblock: () => void;
  onunblock: () => void;
  now: number;
  onretry: () => void;
  onscan: () => void;
  /** The scan is to end. */
  onscanned: () => void;
  /** Both see the same number. */
  onsame: () => void;
  /** Takes a changed key without comparing. */
  ontrust: () => void;
  onunmark: () => void;
}

export interface AddedProps {
  frame: FrameView;
  adding: AddingView;
  problem: "own" | "incomplete" | null;
  onretry: () => void;
  onremove: (account: string) => void;
}
