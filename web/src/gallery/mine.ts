import Deletions from "../screens/mine/Deletions.svelte";
import Mine from "../screens/mine/Mine.svelte";
import type { DeletionsProps, MineProps } from "../screens/mine/props";
import type { PersonView } from "../screens/views";
import { after, exhibit, nothing, press, type Exhibit } from "./exhibit";
import { DAYS_AGO, NOW, PEOPLE, ago, frame } from "./people";

const named = (account: string): PersonView =>
  Object.values(PEOPLE).find((person) => person.account === account) ?? {
    account,
    name: account,
    trust: "none",
  };
const one = (name: string, messages: number, bytes: number) => {
  return { name, messages, bytes, first_at: DAYS_AGO(88), last_at: ago(60) };
};
const STORAGE = {
  received_bytes: 184e6,
  sent_bytes: 92e6,
  unsent_bytes: 8e6,
  received: [one("ann", 12, 150e6), one("joseph", 3, 34e6)],
  sent: [one("ann", 7, 92e6)],
};

const mine = (more: Partial<MineProps> = {}): Exhibit =>
  exhibit(Mine, {
    frame: frame(),
    state: { kind: "ready", storage: STORAGE },
    cleaning: { kind: "idle" },
    exporting: { kind: "idle" },
    held: false,
    here: 4,
    now: NOW,
    ending: { working: false, failure: null },
    named,
    watchedBefore: () => ({ ids: ["1", "2", "3"], bytes: 41e6 }),
    onclean: nothing,
    onundo: nothing,
    onletgo: nothing,
    onexport: nothing,
    onstop: nothing,
    onend: nothing,
    onretry: nothing,
    ...more,
  });

const LINES = [
  { seq: 14, at: ago(59), act: "removed", by: null },
  { seq: 13, at: ago(60), act: "deleted", by: "ann" },
  { seq: 12, at: DAYS_AGO(3), act: "expired", by: null },
  { seq: 11, at: DAYS_AGO(6), act: "deleted", by: "claire" },
] as const;
const deletions = (state: DeletionsProps["state"]): Exhibit =>
  exhibit(Deletions, { frame: frame(), state, now: NOW, named, onretry: nothing });
const lines = LINES.map((line) => ({ ...line, message: "msg_kq4w2mn9tfxr3hbc8pd6vjy4ga", details: "", prev: "" }));

export const MINE: Record<string, Exhibit> = {
  "mine/loading": mine({ state: { kind: "loading" } }),
  "mine/empty": mine({
    state: { kind: "ready", storage: { ...STORAGE, received: [], sent: [], received_bytes: 0, sent_bytes: 0 } },
    here: 0,
    watchedBefore: () => ({ ids: [], bytes: 0 }),
  }),
  "mine/ready": mine(),
  "mine/cleaning": mine({ cleaning: { kind: "thinking", count: 3 } }),
  "mine/exporting": mine({ exporting: { kind: "working", done: 12, of: 40 }, held: true }),
  "mine/exported": mine({
    exporting: { kind: "done", written: 39, unwritten: [{ id: lines[0]?.message ?? "", code: "video-damaged" }] },
  }),
  "mine/deleting": after(
    mine({ cleaning: { kind: "done", count: 3 }, watchedBefore: () => ({ ids: [], bytes: 0 }) }),
    press("trash"),
  ),
  "mine/offline": mine({ state: { kind: "offline" } }),
  "mine/failed": mine({
    state: { kind: "failed", failure: { code: "server-unreachable" } },
    exporting: { kind: "failed", failure: { code: "device-full" } },
    ending: { working: false, failure: { code: "busy" } },
  }),
  "deletions/loading": deletions({ kind: "loading" }),
  "deletions/empty": deletions({ kind: "ready", lines: [] }),
  "deletions/ready": deletions({ kind: "ready", lines }),
  "deletions/offline": deletions({ kind: "offline" }),
  "deletions/failed": deletions({ kind: "failed", failure: { code: "audit-rewritten" } }),
};
