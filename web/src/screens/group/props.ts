import type { Failure, FrameView, GroupView, PersonView } from "../views";

export interface GroupProps {
  frame: FrameView;
  /** Null: there is none, or it is being looked for (`loading`). */
  group: GroupView | null;
  loading: boolean;
  /** Whom one knows; members that are not among them are shown too. */
  people: readonly PersonView[];
  failure: Failure | null;
  onrename: (name: string) => void;
  onmember: (account: string, isMember: boolean) => void;
  ondelete: () => void;
}
