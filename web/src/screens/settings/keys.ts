import type { Failure, FrameView } from "../views";

export interface WitnessesProps {
  list: readonly { key: string; name: string; isRequired: boolean }[];
  failure: Failure | null;
  onchoose: (key: string, isRequired: boolean) => void;
}

export interface KeysProps {
  witnesses: WitnessesProps;
  keys: {
    /** Null until it is known. */
    sealingSince: number | null;
    working: string | null;
    told: "sealing" | "signing" | null;
    failure: Failure | null;
    /** A signing key waits to be published. */
    isUnpublished: boolean;
  };
  now: number;
  go: (path: string) => void;
  onsealing: () => void;
  onsigning: () => void;
  onfinish: () => void;
}

export type RescueStepView = "sessions" | "keys" | "ways" | "people";

export interface RescueProps {
  frame: FrameView;
  done: readonly RescueStepView[];
  working: string | null;
  failure: Failure | null;
  /** Does a step, or says that it is done. */
  onstep: (step: RescueStepView) => void;
}
