import type { Here, Notices, NoticesPart, NoticesPhase, Quiet } from "../../state/notices.svelte";
import type { Failure, FrameView } from "../views";

export type { Here, Notices, NoticesPart, NoticesPhase, Quiet };

/** What the parts of the page share. */
export interface TellingProps {
  working: NoticesPart | null;
  refused: { part: NoticesPart; failure: Failure } | null;
}

export interface ToldProps extends TellingProps {
  frame: FrameView;
  state: NoticesPhase;
  here: Here;
  /** The time zone of this device. */
  zone: string;
  now: number;
  onhere: (on: boolean) => void;
  onremove: (subscriptionId: string) => void;
  onquiet: (hours: Pick<Quiet, "begins" | "ends"> | null) => void;
  onmail: (address: string, everyS: number) => void;
  oncode: (code: string) => void;
  onstop: () => void;
  onretry: () => void;
}
