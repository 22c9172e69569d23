import type { Failure, FrameView } from "../views";

export type AccessView = "anyone" | "signed-in" | "link";

/** Minutes since midnight; 0 is Monday. */
export interface HoursView {
  day: number;
  start: number;
  end: number;
}

export interface ScheduleView {
  timezone: string;
  hours: readonly HoursView[];
}

export interface OwnPageProps {
  frame: FrameView;
  state: { kind: "loading" } | { kind: "ready" } | { kind: "failed"; failure: Failure };
  on: boolean;
  access: AccessView;
  /** Null: at every hour. */
  schedule: ScheduleView | null;
  note: string;
  hasGreeting: boolean;
  /** A greeting that was begun lies on this device. */
  kept: boolean;
  /** To give to others. */
  address: string | null;
  working: boolean;
  failure: Failure | null;
  onback: () => void;
  onon: (on: boolean) => void;
  onaccess: (access: AccessView) => void;
  onnote: (note: string) => void;
  onschedule: (schedule: ScheduleView | null) => void;
  onrotate: () => void;
  /** To the booth, for a greeting. */
  ongreet: () => void;
  onnogreeting: () => void;
  onlook: () => void;
  onsave: () => void;
  oncopy: (text: string) => void;
  onretry: () => void;
}
