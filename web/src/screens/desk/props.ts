import type { Act, DeskReport, DeskView, Disclosed, Examined } from "../../state/desk.svelte";
import type { DeskAct, DeskPerson, DeskTasks } from "../../state/desk-lists.svelte";
import type { DeskPhase } from "../../state/desk-phase";
import type { Outcome, Trial } from "../../state/device-doctor.svelte";
import type { Playback } from "../../ui/playback.svelte";
import type { Failure, FrameView } from "../views";

export type {
  Act,
  DeskAct,
  DeskPerson,
  DeskPhase,
  DeskReport,
  DeskTasks,
  DeskView,
  Disclosed,
  Examined,
  Outcome,
  Trial,
};

/** What the queue of reports is given. */
export interface ReportsProps {
  reports: readonly DeskReport[];
  /** The report that is being worked on. */
  working: string | null;
  refused: { report: string; failure: Failure } | null;
  disclosed: Disclosed | null;
  playback: Playback | null;
  now: number;
  ondecide: (report: string, act: Act, reason: string) => void;
  onopen: (report: string) => void;
  onhide: () => void;
}

export interface DeskProps extends Omit<ReportsProps, "reports"> {
  frame: FrameView;
  state: DeskPhase<DeskView>;
  /** Whether reports that were decided are shown, too. */
  all: boolean;
  onall: (all: boolean) => void;
  onretry: () => void;
}

export interface DeskPeopleProps {
  frame: FrameView;
  state: DeskPhase<{ items: readonly DeskPerson[]; more: boolean }>;
  now: number;
  onlook: (like?: string) => void;
  onfurther: () => void;
}

export interface DeskRecordProps {
  frame: FrameView;
  state: DeskPhase<{ items: readonly DeskAct[]; more: boolean; whole: boolean }>;
  now: number;
  onlook: () => void;
  onfurther: () => void;
}

export interface DeskWorkProps {
  frame: FrameView;
  state: DeskPhase<readonly DeskTasks[]>;
  working: boolean;
  failure: Failure | null;
  now: number;
  onlook: () => void;
  onretry: (kind: string) => void;
}

export interface DeviceDoctorProps {
  frame: FrameView;
  outcomes: Readonly<Record<Trial, Outcome>>;
  running: boolean;
  onrun: () => void;
}
