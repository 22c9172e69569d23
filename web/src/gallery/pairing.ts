import LeftHere from "../screens/left-here/LeftHere.svelte";
import type { LeftHereProps } from "../screens/left-here/props";
import { language } from "../screens/language.svelte";
import Pair from "../screens/pair/Pair.svelte";
import type { PairProps } from "../screens/pair/props";
import { exhibit, nothing, type Exhibit } from "./exhibit";
import { DAYS_AGO, NOW, ago, frame } from "./people";

const ASKING = { label: "pottery shed", words: ["drearily", "entourage", "given", "wanted", "surpass", "jam"] };

const pair = (state: PairProps["state"]): Exhibit =>
  exhibit(Pair, { frame: frame(), state, onapprove: nothing, onrefuse: nothing, onundo: nothing, onretry: nothing });

const left = (more: Partial<LeftHereProps>): Exhibit =>
  exhibit(LeftHere, {
    items: [
      { id: "1", durationMs: 83_000, recordedAt: ago(60) },
      { id: "2", durationMs: null, recordedAt: DAYS_AGO(1) },
    ],
    failure: null,
    now: NOW,
    go: nothing,
    onlanguage: (locale: string): void => language.choose(locale),
    onsave: nothing,
    onretry: nothing,
    ...more,
  });

export const PAIRING: Record<string, Exhibit> = {
  "pair/loading": pair({ kind: "loading" }),
  "pair/none": pair({ kind: "none" }),
  "pair/asking": pair({ kind: "asking", asking: ASKING, working: false, failure: null }),
  "pair/working": pair({ kind: "asking", asking: ASKING, working: true, failure: null }),
  "pair/offline": pair({ kind: "asking", asking: ASKING, working: false, failure: { code: "offline" } }),
  "pair/approved": pair({ kind: "approved", asking: ASKING, working: false, failure: null }),
  "pair/refused": pair({ kind: "refused", asking: ASKING }),
  "pair/undone": pair({ kind: "undone", asking: ASKING }),
  "pair/expired": pair({ kind: "failed", failure: { code: "pairing-expired" } }),
  "left-here/ready": left({}),
  "left-here/loading": left({ items: null }),
  "left-here/empty": left({ items: [] }),
  "left-here/failed": left({ failure: { code: "not-on-this-device" } }),
};
