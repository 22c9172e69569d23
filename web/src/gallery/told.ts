import Told from "../screens/told/Told.svelte";
import type { Notices, ToldProps } from "../screens/told/props";
import { exhibit, nothing, type Exhibit } from "./exhibit";
import { DAYS_AGO, NOW, ago, frame } from "./people";

const NOTICES: Notices = {
  push_key: "",
  subscriptions: [
    { id: "1", host: "updates.push.services.mozilla.com", here: true, created_at: DAYS_AGO(20), renewed_at: ago(3) },
    { id: "2", host: "fcm.googleapis.com", here: false, created_at: DAYS_AGO(6), renewed_at: ago(1120) },
  ],
  quiet: { begins: 1320, ends: 420, zone: "Europe/Paris" },
  mail: { address: "claire@adeyemi.family", every_s: 3600, language: "en", verified: true },
  mail_possible: true,
};
const NOTHING: Notices = { ...NOTICES, subscriptions: [], quiet: null, mail: null };

const told = (notices: Notices | null, more: Partial<ToldProps> = {}): Exhibit =>
  exhibit(Told, {
    frame: frame(),
    state: notices === null ? { kind: "loading" } : { kind: "ready", notices },
    here: "on",
    working: null,
    refused: null,
    zone: "Europe/Paris",
    now: NOW,
    onhere: nothing,
    onremove: nothing,
    onquiet: nothing,
    onmail: nothing,
    oncode: nothing,
    onstop: nothing,
    onretry: nothing,
    ...more,
  });

export const TOLD: Record<string, Exhibit> = {
  "told/loading": told(null),
  "told/off": told(NOTHING, { here: "off" }),
  "told/on": told(NOTICES),
  "told/blocked": told(NOTHING, { here: "refused", refused: { part: "here", failure: { code: "push-refused" } } }),
  "told/install": told(NOTHING, { here: "install" }),
  "told/code": told(
    { ...NOTICES, mail: { address: "claire@adeyemi.family", every_s: 3600, language: "en", verified: false } },
    { refused: { part: "code", failure: { code: "wrong-code" } } },
  ),
  "told/no-mail": told({ ...NOTHING, mail_possible: false }, { here: "no" }),
  "told/offline": told(null, { state: { kind: "offline" } }),
  "told/failed": told(null, { state: { kind: "failed", failure: { code: "server-unreachable" } } }),
};
