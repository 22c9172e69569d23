import Guest from "../screens/guest/Guest.svelte";
import type { GuestProps } from "../screens/guest/props";
import Link from "../screens/link/Link.svelte";
import type { LinkProps } from "../screens/link/props";
import { exhibit, nothing, type Exhibit } from "./exhibit";
import { DAYS_AGO, NOW, ago, frame, still } from "./people";

const ABOUT = { name: "Ann Adeyemi", acct: "ann@adeyemi.family", isSigned: true, createdMs: ago(385) };
const ADDRESS =
  "https://video.adeyemi.family/m/lnk_k5d2mrt3q7wnx6yzabcd4efghi#Zk3pQ0xJb1cYv8RmT5sW2AZk3pQ0xJb1cYv8RmT5sW2";

const guest = (state: GuestProps["state"], more: Partial<GuestProps> = {}): Exhibit =>
  exhibit(Guest, {
    state,
    about: ABOUT,
    caption: "",
    playback: null,
    maySave: false,
    saving: null,
    now: NOW,
    go: nothing,
    onlanguage: nothing,
    onpassword: nothing,
    onopen: nothing,
    onsave: nothing,
    onretry: nothing,
    mayAnswer: false,
    entering: false,
    answerFailure: null,
    kept: false,
    onanswer: nothing,
    onlook: nothing,
    onkeep: nothing,
    ...more,
  });
const OPEN: Partial<GuestProps> = {
  caption: "Good morning from Lagos, the mangoes are ripe",
  playback: still(102_000),
  maySave: true,
};

const link = (more: Partial<LinkProps> = {}): Exhibit =>
  exhibit(Link, {
    frame: frame(),
    names: "Ann Adeyemi",
    links: [],
    made: null,
    making: false,
    failure: null,
    now: NOW,
    onback: nothing,
    onmake: nothing,
    onrevoke: nothing,
    oncopy: nothing,
    onretry: nothing,
    ...more,
  });
const LINKS: LinkProps["links"] = [
  { id: "c", state: "open", expiresAt: NOW + 6 * 86_400_000, mostOpens: null, opens: 0 },
  { id: "b", state: "used-up", expiresAt: null, mostOpens: 3, opens: 3 },
  { id: "a", state: "expired", expiresAt: DAYS_AGO(2), mostOpens: null, opens: 1 },
];

export const LINKS_SHOWN: Record<string, Exhibit> = {
  "m/looking": guest({ kind: "looking" }, { about: null }),
  "m/incomplete": guest({ kind: "incomplete" }, { about: null }),
  "m/password": guest({ kind: "password", wrong: true, busy: false }, { about: null }),
  "m/sealed": guest({ kind: "sealed", busy: false }),
  "m/unsigned": guest({ kind: "sealed", busy: false }, { about: { ...ABOUT, acct: null, isSigned: false } }),
  "m/ready": guest({ kind: "ready" }, OPEN),
  "m/answer": guest({ kind: "ready" }, { ...OPEN, mayAnswer: true }),
  "m/no-answer": guest({ kind: "failed", failure: { code: "no-answer-yet" } }, { about: null }),
  "m/cut-off": guest({ kind: "cut-off", atMs: 72_000 }, OPEN),
  "m/ended": guest({ kind: "failed", failure: { code: "link-gone" } }, { about: null }),
  "link/loading": link({ links: null }),
  "link/empty": link(),
  "link/made": link({ links: LINKS, made: { id: "c", address: ADDRESS } }),
  "link/ready": link({ links: LINKS }),
  "link/failed": link({ links: null, failure: { code: "offline" } }),
};
