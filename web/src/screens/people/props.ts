import type { AddingView, Failure, FrameView, PersonView } from "../views";

export interface PeopleProps {
  frame: FrameView;
  state: { kind: "loading" } | { kind: "ready" } | { kind: "failed"; failure: Failure } | { kind: "offline" };
  people: readonly PersonView[];
  adding: AddingView;
  /** Looks the address up and keeps it. */
  onadd: (account: string) => void;
  onremove: (account: string) => void;
  onretry: () => void;
}
