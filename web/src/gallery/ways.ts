import Verify from "../screens/frame/Verify.svelte";
import Identity from "../screens/identity/Identity.svelte";
import type { IdentityProps } from "../screens/identity/props";
import NewCode from "../screens/settings/NewCode.svelte";
import type { NewCodeProps, WaysInProps } from "../screens/settings/ways";
import type { Asking } from "../state/verification.svelte";
import type { WayIn } from "../state/ways-in.svelte";
import { exhibit, nothing, type Exhibit } from "./exhibit";
import { DAYS_AGO, NOW, ago, frame } from "./people";

const WAYS: readonly WayIn[] = [
  { id: "1", type: "passkey", label: "Claire’s phone", since: DAYS_AGO(90), usedAt: ago(30), opens: true },
  { id: "2", type: "passkey", label: "Chrome, Windows", since: DAYS_AGO(6), usedAt: null, opens: false },
  { id: "passphrase", type: "passphrase", label: "", since: DAYS_AGO(90), usedAt: DAYS_AGO(6), opens: true },
  { id: "recovery", type: "recovery", label: "", since: DAYS_AGO(90), usedAt: null, opens: true },
];

export const waysIn = (more: Partial<WaysInProps> = {}): WaysInProps => ({
  state: { kind: "ready", list: WAYS },
  hasPasskeys: true,
  provider: "",
  working: false,
  failure: null,
  told: null,
  again: false,
  now: NOW,
  go: nothing,
  suggest: () => Promise.resolve("harbor tulip seldom copper anyone lantern"),
  onadd: nothing,
  ondrop: nothing,
  onrename: nothing,
  onremove: nothing,
  onwords: nothing,
  onretry: nothing,
  ...more,
});

const newCode = (step: NewCodeProps["step"]): Exhibit =>
  exhibit(NewCode, {
    frame: frame(),
    step,
    oncopy: nothing,
    onsave: nothing,
    onprint: nothing,
    onwritten: nothing,
    onprove: nothing,
    onshow: nothing,
  });

const verify = (more: Partial<Asking> = {}): Exhibit =>
  exhibit(Verify, {
    asking: { about: "ways", hasPasskeys: true, working: false, failure: null, ...more },
    onpasskey: nothing,
    onsecret: nothing,
    onclose: nothing,
  });

const identity = (more: Partial<IdentityProps> = {}, since: number | null = null): Exhibit =>
  exhibit(Identity, {
    frame: frame(),
    state: { kind: "ready", identity: { provider: "The Works", since, may_unlink: true } },
    isProved: false,
    working: false,
    failure: null,
    told: null,
    now: NOW,
    onlink: nothing,
    ondrop: nothing,
    onunlink: nothing,
    onretry: nothing,
    ...more,
  });

export const WAYS_IN: Record<string, Exhibit> = {
  "settings/code": newCode({
    kind: "code",
    groups: ["7KQ4", "W2MN", "9TFX", "R3HB", "C8PD", "6VJY", "4GZA", "X5E1"],
    check: "T",
  }),
  "settings/code-prove": newCode({
    kind: "prove",
    asked: [3, 6],
    wrong: null,
    begins: "",
    working: false,
    failure: null,
  }),
  "settings/code-done": newCode({ kind: "done" }),
  "settings/verify": verify(),
  "settings/verify-refused": verify({ failure: { code: "sign-in-refused" } }),
  "settings/verify-words": verify({ hasPasskeys: false }),
  "desk/verify": verify({ about: "desk" }),
  "desk/verify-look": verify({ about: "look" }),
  "settings/identity": identity(),
  "settings/identity-loading": identity({ state: { kind: "loading" } }),
  "settings/identity-offline": identity({ state: { kind: "offline" } }),
  "settings/identity-failed": identity({ state: { kind: "failed", failure: { code: "server-unreachable" } } }),
  "settings/identity-none": identity({
    state: { kind: "ready", identity: { provider: "", since: null, may_unlink: true } },
  }),
  "settings/identity-proved": identity({ isProved: true }),
  "settings/identity-refused": identity({ failure: { code: "ticket-used" } }),
  "settings/identity-linked": identity({ told: "linked" }, ago(0)),
  "settings/identity-unlinked": identity({ told: "unlinked" }),
  "settings/identity-stays": identity({
    state: { kind: "ready", identity: { provider: "The Works", since: DAYS_AGO(20), may_unlink: false } },
  }),
};
