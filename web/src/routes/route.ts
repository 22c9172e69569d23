/** What every screen is given, and which address leads to which of them. */

import type { Component } from "svelte";
import { PLACES } from "../screens/places";
import type { FrameView } from "../screens/views";
import type { House } from "../state/house.svelte";
import type { Router } from "../state/router.svelte";
import type { Session, SessionState } from "../state/session.svelte";

/** For screens behind the sign-in. */
export interface RouteProps {
  house: House;
  session: Session;
  router: Router;
  frame: FrameView;
  go: (path: string) => void;
  /** Whether keys of one letter count. */
  letters: boolean;
  /** The draft, the message or the person that the address names; empty where it names none. */
  id: string;
  /** Whom a video is for: `ann`. */
  to: string | null;
  /** The take that is recorded anew. */
  instead: string | null;
  /** The message that is being answered. */
  answers: string | null;
}

/** For screens before it. */
export interface GateProps {
  session: Session;
  router: Router;
  onlanguage: (locale: string) => void;
}

/** For what is open to everybody, signed in or not. */
export interface OpenProps extends GateProps {
  id: string;
}

type Load<P extends object> = () => Promise<{ default: Component<P> }>;
export type GatePlace = { at: "gate"; load: Load<GateProps> };
export type Asked = Pick<RouteProps, "id" | "to" | "instead" | "answers">;
export type HousePlace = { at: "house"; load: Load<RouteProps> } & Asked;
export type OpenPlace = { at: "open"; load: Load<OpenProps>; id: string };
export type Place = GatePlace | HousePlace | OpenPlace;

const GATE: Readonly<Record<string, Load<GateProps>>> = {
  [PLACES.welcome]: () => import("./Welcome.svelte"),
  [PLACES.signUp]: () => import("./SignUp.svelte"),
  [PLACES.signIn]: () => import("./SignIn.svelte"),
  [PLACES.left]: () => import("./LeftHere.svelte"),
};
const HOUSE: Readonly<Record<string, Load<RouteProps>>> = {
  [PLACES.inbox]: () => import("./Inbox.svelte"),
  [PLACES.sent]: () => import("./Sent.svelte"),
  [PLACES.people]: () => import("./People.svelte"),
  [PLACES.settings]: () => import("./Settings.svelte"),
  [PLACES.newCode]: () => import("./NewCode.svelte"),
  [PLACES.identity]: () => import("./Identity.svelte"),
  [PLACES.record]: () => import("./Record.svelte"),
  [PLACES.drafts]: () => import("./Drafts.svelte"),
  [PLACES.browser]: () => import("./Browser.svelte"),
  [PLACES.rescue]: () => import("./Rescue.svelte"),
  [PLACES.pair]: () => import("./Pair.svelte"),
  [PLACES.operatorLink]: () => import("./OperatorLink.svelte"),
  [PLACES.archive]: () => import("./Archive.svelte"),
  [PLACES.known]: () => import("./Known.svelte"),
  [PLACES.told]: () => import("./Told.svelte"),
  [PLACES.page]: () => import("./OwnPage.svelte"),
  [PLACES.mine]: () => import("./Mine.svelte"),
  [PLACES.deletions]: () => import("./Deletions.svelte"),
  [PLACES.operator]: () => import("./Operator.svelte"),
  [PLACES.doctor]: () => import("./DeviceDoctor.svelte"),
  [PLACES.entrance]: () => import("./Entrance.svelte"),
  [PLACES.deskPeople]: () => import("./DeskPeople.svelte"),
  [PLACES.deskPlans]: () => import("./DeskPlans.svelte"),
  [PLACES.deskWork]: () => import("./DeskWork.svelte"),
  [PLACES.deskRecord]: () => import("./DeskRecord.svelte"),
  [PLACES.plan]: () => import("./Plan.svelte"),
};
const ITEMS: Readonly<Record<string, Load<RouteProps>>> = {
  watch: () => import("./Watch.svelte"),
  review: () => import("./Review.svelte"),
  people: () => import("./Person.svelte"),
  add: () => import("./Add.svelte"),
  link: () => import("./Link.svelte"),
  reply: () => import("./Reply.svelte"),
  with: () => import("./Conversation.svelte"),
  group: () => import("./Group.svelte"),
};

/** The place at an address; null: there is none. */
export function placeAt(path: string, query: URLSearchParams): Place | null {
  const gate = GATE[path];
  if (gate) return { at: "gate", load: gate };
  const house = HOUSE[path];
  const answers = query.get("answers");
  if (house) return { at: "house", load: house, id: "", to: query.get("to"), instead: query.get("instead"), answers };
  const [, kind = "", id, rest] = path.split("/");
  if (kind === "m" && id && rest === undefined)
    return { at: "open", load: () => import("./Guest.svelte"), id: decoded(id) };
  if (kind.startsWith("@") && id === undefined)
    return { at: "open", load: () => import("./Page.svelte"), id: decoded(kind.slice(1)) };
  const load = ITEMS[kind];
  if (!load || !id || rest !== undefined) return null;
  return { at: "house", load, id: decoded(id), to: null, instead: null, answers };
}

/** Whether somebody who is outside was here before: they are shown the sign-in, others the welcome. */
export function fromOutside(state: SessionState): boolean {
  const ended = ["not-signed-in", "device-removed", "account-deleted"];
  return state.kind === "outside" && (state.account !== "" || ended.includes(state.failure?.code ?? ""));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
