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

const signUp = (step: SignUpProps["step"]): Exhibit =>
  exhibit(SignUp, {
    ...outside,
    step,
    chosen: { account: "", passphrase: "", own: false },
    suggestion: "harbor tulip seldom copper anyone lantern",
    onother: nothing,
    onname: nothing,
    oncopy: nothing,
    onsave: nothing,
    onprint: nothing,
    onwritten: nothing,
    onprove: nothing,
    onshow: nothing,
  });

const PROVE = { kind: "prove", asked: [3, 6], begins: "", working: false, failure: null } as const;

const signIn = (state: SignInProps["state"]): Exhibit =>
  exhibit(SignIn, { ...outside, state, account: "claire", onsignin: nothing });

export const GATE: Record<string, Exhibit> = {
  "welcome/loading": welcome({ kind: "loading" }),
  "welcome/ready": welcome({ kind: "ready" }),
  "welcome/closed": welcome({ kind: "closed" }),
  "welcome/failed": welcome({ kind: "failed", failure: { code: "server-unreachable" } }),
  "welcome/offline": welcome({ kind: "failed", failure: { code: "offline" } }),
  "sign-up/ready": signUp({ kind: "name", failure: null }),
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
  "sign-in/working": signIn({ kind: "working" }),
  "sign-in/refused": signIn({ kind: "failed", failure: { code: "sign-in-refused" } }),
  "sign-in/failed": signIn({ kind: "failed", failure: { code: "keyring-rolled-back" } }),
  "sign-in/offline": signIn({ kind: "offline" }),
};
