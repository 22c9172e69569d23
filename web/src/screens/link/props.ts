import type { Failure, FrameView } from "../views";

export interface LinkView {
  id: string;
  state: "open" | "expired" | "used-up" | "revoked" | "gone";
  expiresAt: number | null;
  mostOpens: number | null;
  opens: number;
}

export interface LinkWishView {
  days: number | null;
  mostOpens: number | null;
  password: string;
  maySave: boolean;
  mayAnswer: boolean;
}

export interface LinkProps {
  frame: FrameView;
  /** To whom the video went already. */
  names: string;
  /** Null until they were read. */
  links: readonly LinkView[] | null;
  /** The one that was just made: shown now, and never again. */
  made: { id: string; address: string } | null;
  making: boolean;
  failure: Failure | null;
  now: number;
  onback: () => void;
  onmake: (wish: LinkWishView) => void;
  onrevoke: (id: string) => void;
  oncopy: (address: string) => void;
  onretry: () => void;
}
