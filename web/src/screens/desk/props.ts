import type { Act, DeskPhase, DeskReport, DeskView, Disclosed, Examined } from "../../state/desk.svelte";
import type { Outcome, Trial } from "../../state/device-doctor.svelte";
import type { Playback } from "../../ui/playback.svelte";
import type { Failure, FrameView } from "../views";

export type { Act, DeskPhase, DeskReport, DeskView, Disclosed, Examined, Outcome, Trial };

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
  state: DeskPhase;
  onretry: () => void;
}

export interface DeviceDoctorProps {
  frame: FrameView;
  outcomes: Readonly<Record<Trial, Outcome>>;
  running: boolean;
  onrun: () => void;
}
