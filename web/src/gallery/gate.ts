import SignIn from "../screens/sign-in/SignIn.svelte";
import type { SignInProps } from "../screens/sign-in/props";
import SignUp from "../screens/sign-up/SignUp.svelte";
import type { SignUpProps } from "../screens/sign-up/props";
import Welcome from "../screens/welcome/Welcome.svelte";
import type { WelcomeProps } from "../screens/welcome/props";
import { exhibit, nothing, type Exhibit } from "./exhibit";
import { language } from "../screens/language.svelte";

const outside = { go: nothing, onlanguage: (locale: string): void => language.choose(locale) };

const welcome = (state: WelcomeProps["state"]): Exhibit => exhibit(Welcome, { ...outside, state, onretry: nothing });

const signUp = (step: SignUpProps["step"], more: Partial<SignUpProps> = {}): Exhibit =>
  exhibit(SignUp, {
    ...outside,
    step,
    chosen: { account: "", way: "passkey", passphrase: "", own: false },
    hasPasskeys: true,
    suggestion: "harbor tulip seldom copper anyone lantern",
    entry: { kind: "free" },
    oncountry: nothing,
    ontellme: nothing,
    oninvite: nothing,
    onmail: nothing,
    oncode: nothing,
    onother: nothing,
    onname: nothing,
    oncopy: nothing,
    onsave: nothing,
    onprint: nothing,
    onwritten: nothing,
    onprove: nothing,
    onshow: nothing,
    ontouch: nothing,
    onusewords: nothing,
    onwords: nothing,
    ...more,
  });

const NAME = { kind: "name", failure: null } as const;
const before = (entry: SignUpProps["entry"]): Exhibit => signUp(NAME, { entry });
const OPENS = {
  allowed: false,
  platform: "windows",
  phase: "planned",
  by_country: true,
  country: "GB",
  country_from: "proxy",
  blocked_by: "platform",
  opens_at: 1_806_537_600_000,
  text: {},
  waiting: false,
  mail_possible: true,
} as const;
const SHUT = { kind: "shut", opens: OPENS, told: false, working: false, failure: null } as const;

const BY_WORDS = { chosen: { account: "", way: "passphrase", passphrase: "", own: false } } as const;
const TOUCH = { kind: "touch", again: false, working: false, failure: null } as const;
const WORDS = { kind: "words", signsInOnly: true, working: false, failure: null } as const;

const PROVE = { kind: "prove", asked: [3, 6], begins: "", working: false, failure: null } as const;

const signIn = (state: SignInProps["state"], hasPasskeys = true, provider = ""): Exhibit =>
  exhibit(SignIn, {
    ...outside,
    state,
    hasPasskeys,
    provider,
    hasLeft: state.kind === "failed" && state.failure.code === "device-removed",
    account: "claire",
    onsignin: nothing,
    onpasskey: nothing,
    onoffer: () => nothing,
    onunlock: nothing,
    ongiveup: nothing,
  });
const LOCKED = { kind: "locked", account: "claire", working: false, failure: null } as const;

export const GATE: Record<string, Exhibit> = {
  "welcome/loading": welcome({ kind: "loading" }),
  "welcome/ready": welcome({ kind: "ready" }),
  "welcome/closed": welcome({ kind: "closed" }),
  "welcome/failed": welcome({ kind: "failed", failure: { code: "server-unreachable" } }),
  "welcome/offline": welcome({ kind: "failed", failure: { code: "offline" } }),
  "sign-up/ready": signUp({ kind: "name", failure: null }),
  "sign-up/asking": signUp({ kind: "name", failure: null }, { hasPasskeys: null }),
  "sign-up/passphrase": signUp({ kind: "name", failure: null }, BY_WORDS),
  "sign-up/without-passkeys": signUp({ kind: "name", failure: null }, { hasPasskeys: false }),
  "sign-up/not-yet": before(SHUT),
  "sign-up/not-yet-told": before({ ...SHUT, told: true }),
  "sign-up/beta": before({ ...SHUT, opens: { ...OPENS, phase: "beta", opens_at: null, mail_possible: false } }),
  "sign-up/invite": before({ kind: "invite", failure: null }),
  "sign-up/invite-refused": before({ kind: "invite", failure: { code: "ticket-refused" } }),
  "sign-up/mail": before({ kind: "mail", sentTo: null, working: false, failure: null }),
  "sign-up/mail-code": before({ kind: "mail", sentTo: "claire@post.example", working: false, failure: null }),
  "sign-up/provider": before({ kind: "provider", provider: "login.example", failure: null }),
  "sign-up/touch": signUp(TOUCH),
  "sign-up/touch-working": signUp({ ...TOUCH, working: true }),
  "sign-up/touch-again": signUp({ ...TOUCH, again: true }),
  "sign-up/touch-cancelled": signUp({ ...TOUCH, failure: { code: "passkey-cancelled" } }),
  "sign-up/touch-unverified": signUp({ ...TOUCH, failure: { code: "passkey-unverified" } }),
  "sign-up/signs-in-only": signUp(WORDS),
  "sign-up/words": signUp({ ...WORDS, signsInOnly: false }),
  "sign-up/taken": signUp({ kind: "name", failure: { code: "name-taken" } }),
  "sign-up/failed": signUp({ kind: "name", failure: { code: "rate-limited", retryAfterS: 300 } }),
  "sign-up/offline": signUp({ kind: "name", failure: { code: "offline" } }),
  "sign-up/working": signUp({ kind: "working" }),
  "sign-up/code": signUp({
    kind: "code",
    groups: ["7KQ4", "W2MN", "9TFX", "R3HB", "C8PD", "6VJY", "4GZA", "X5E1"],
    check: "T",
  }),
  "sign-up/prove": signUp({ ...PROVE, wrong: null }),
  "sign-up/slip": signUp({ ...PROVE, wrong: 3, begins: "9T" }),
  "sign-up/unfinished": signUp({ ...PROVE, wrong: null, failure: { code: "offline" } }),
  "sign-in/ready": signIn({ kind: "ready" }),
  "sign-in/without-passkeys": signIn({ kind: "ready" }, false),
  "sign-in/provider": signIn({ kind: "ready" }, true, "The Works"),
  "sign-in/locked": signIn(LOCKED),
  "sign-in/locked-refused": signIn({ ...LOCKED, failure: { code: "sign-in-refused" } }),
  "sign-in/no-touch": signIn({ kind: "failed", failure: { code: "passkey-cancelled" } }),
  "sign-in/working": signIn({ kind: "working" }),
  "sign-in/refused": signIn({ kind: "failed", failure: { code: "sign-in-refused" } }),
  "sign-in/failed": signIn({ kind: "failed", failure: { code: "keyring-rolled-back" } }),
  "sign-in/removed": signIn({ kind: "failed", failure: { code: "device-removed" } }),
  "sign-in/offline": signIn({ kind: "offline" }),
};
