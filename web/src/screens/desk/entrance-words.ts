/** What phases, places, those who wait and invites are to a person. */

import { m } from "../../i18n/messages";
import { getLocale } from "../../i18n/runtime";
import { day } from "../format";
import { countries, countryName } from "../sign-up/opens-words";
import type { DeskCase, DeskDoor, DeskInvite, DeskSwitch, DeskWaiter, SwitchesProps } from "./entrance-props";

export const PHASES = ["open", "beta", "planned", "later", "unknown"] as const satisfies readonly DeskSwitch["phase"][];
const PLATFORMS: Readonly<Record<string, () => string>> = {
  macos: () => "macOS",
  windows: () => "Windows",
  linux: () => "Linux",
  ios: () => "iOS",
  android: () => "Android",
  "windows-phone": () => "Windows Phone",
  other: m.entrance_other,
};
const platformName = (name: string): string => PLATFORMS[name]?.() ?? name;

export function doorName({ what, name }: Pick<DeskSwitch, "what" | "name">): string {
  if (what === "platform") return platformName(name);
  return name === "elsewhere" ? m.entrance_elsewhere() : countryName(name);
}

/** Everything that can be switched: platforms, all other countries, countries. */
export const places = (): { value: string; word: string }[] => [
  ...Object.keys(PLATFORMS).map((name) => ({ value: `platform:${name}`, word: platformName(name) })),
  { value: "country:elsewhere", word: m.entrance_elsewhere() },
  ...countries().map(({ value, word }) => ({ value: `country:${value}`, word })),
];

export const phaseWords = (phase: DeskSwitch["phase"]): string =>
  ({
    open: m.entrance_phase_open,
    beta: m.entrance_phase_beta,
    planned: m.entrance_phase_planned,
    later: m.entrance_phase_later,
    unknown: m.entrance_phase_unknown,
  })[phase]();

const opening = (at: number): string =>
  new Intl.DateTimeFormat(getLocale(), { dateStyle: "long", timeZone: "UTC" }).format(at);

const phaseNote = ({ phase, opens_at }: Pick<DeskSwitch, "phase" | "opens_at">): string =>
  opens_at == null ? phaseWords(phase) : m.opens_on({ day: opening(opens_at) });

export const doorNote = (door: DeskDoor): string =>
  [
    phaseNote(door),
    door.cohort > 0 ? m.entrance_cohort({ count: door.cohort }) : "",
    door.switched ? m.entrance_switched({ phase: phaseWords(door.written) }) : "",
  ]
    .filter(Boolean)
    .join(" · ");

/** What a switch makes of a place, and what stands in the file. */
export function switchNote(wanted: DeskSwitch, doors: readonly DeskDoor[]): string {
  const door = doors.find(({ what, name }) => what === wanted.what && name === wanted.name);
  return [phaseNote(wanted), door ? m.entrance_written({ phase: phaseWords(door.written) }) : ""]
    .filter(Boolean)
    .join(" · ");
}

/** Why the draft cannot be put in force yet. */
export function switchesReason({
  draft,
  doors,
  preview,
  working,
}: Omit<SwitchesProps, "onset" | "onpreview" | "onapply">): string | undefined {
  if (working) return m.entrance_working();
  const isHeld = (door: DeskDoor): boolean =>
    draft.some((each) => each.what === door.what && each.name === door.name && isAlike(each, door));
  const switched = doors.filter((door) => door.switched);
  if (switched.length === draft.length && switched.every(isHeld)) return m.entrance_nothing_new();
  return preview === null ? m.entrance_preview_first() : undefined;
}

const isAlike = (wanted: DeskSwitch, door: DeskDoor): boolean =>
  wanted.phase === door.phase && (wanted.opens_at ?? null) === (door.opens_at ?? null);

export const placeWords = (country: string | null | undefined, platform: string): string =>
  [country == null ? m.entrance_elsewhere() : countryName(country), platformName(platform)].join(", ");

/** One place in the preview: where, and what somebody sees there before and after. */
export const caseNote = ({ country, platform, before, after }: DeskCase): { name: string; note: string } => ({
  name: placeWords(country, platform),
  note: m.entrance_from_to({ before: sightWords(before), after: sightWords(after) }),
});

function sightWords({ allowed, phase, opens_at, text }: DeskCase["before"]): string {
  if (allowed) return m.entrance_is_open();
  const own = text[getLocale()] ?? text["en"] ?? "";
  return [phaseNote({ phase, opens_at }), own && m.entrance_own({ text: own.replace(/\.$/u, "") })]
    .filter(Boolean)
    .join(" ");
}

export const waiterName = ({ name, mail }: DeskWaiter): string => name ?? mail ?? m.entrance_somebody();
export const waiterNote = ({ country, platform, created_at }: DeskWaiter, now: number): string =>
  [placeWords(country, platform), day(created_at, now)].join(" · ");

export const inviteState = ({ state }: DeskInvite): string =>
  ({
    open: m.entrance_invite_open,
    used: m.entrance_invite_used,
    expired: m.entrance_invite_expired,
    revoked: m.entrance_invite_revoked,
  })[state]();

export const inviteNote = ({ uses, most_uses, created_at, expires_at }: DeskInvite, now: number): string =>
  [
    m.entrance_used({ uses, most: most_uses }),
    day(created_at, now),
    expires_at == null ? "" : m.entrance_until({ day: day(expires_at, now) }),
  ]
    .filter(Boolean)
    .join(" · ");
