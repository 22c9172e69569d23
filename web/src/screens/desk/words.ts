/** What the doctor's names are to a person. */

import { m } from "../../i18n/messages";
import type { IconName } from "../../ui/icons";
import { counted, day, moment, size } from "../format";
import type { DeskAct, DeskPerson, DeskReport, DeskTasks, Examined, Outcome, Trial } from "./props";

interface Thing {
  icon: IconName;
  name: string;
  cure: string;
}

const THINGS: Readonly<Record<string, () => Thing>> = {
  address: () => ({ icon: "globe", name: m.desk_address(), cure: m.desk_address_cure() }),
  certificate: () => ({ icon: "seal", name: m.desk_certificate(), cure: m.desk_certificate_cure() }),
  clock: () => ({ icon: "clock", name: m.desk_clock(), cure: m.desk_clock_cure() }),
  disk: () => ({ icon: "stored", name: m.desk_disk(), cure: m.desk_disk_cure() }),
  storage: () => ({ icon: "stored", name: m.desk_storage(), cure: m.desk_storage_cure() }),
  database: () => ({ icon: "stored", name: m.desk_database(), cure: m.desk_database_cure() }),
  bus: () => ({ icon: "laptop", name: m.desk_bus(), cure: m.desk_bus_cure() }),
  secrets: () => ({ icon: "key", name: m.desk_secrets(), cure: m.desk_secrets_cure() }),
  mail: () => ({ icon: "mail", name: m.desk_mail(), cure: m.desk_mail_cure() }),
  push: () => ({ icon: "info", name: m.desk_push(), cure: m.desk_push_cure() }),
  work: () => ({ icon: "again", name: m.desk_work(), cure: m.desk_work_cure() }),
  backup: () => ({ icon: "copy", name: m.desk_backup(), cure: m.desk_backup_cure() }),
  check: () => ({ icon: "search", name: m.desk_check(), cure: m.desk_check_cure() }),
  abuse: () => ({ icon: "care", name: m.desk_abuse(), cure: m.desk_abuse_cure() }),
  operator: () => ({ icon: "person", name: m.desk_operator(), cure: m.desk_operator_cure() }),
  witnesses: () => ({ icon: "seal", name: m.desk_witnesses(), cure: m.desk_witnesses_cure() }),
  webapp: () => ({ icon: "screen", name: m.desk_webapp(), cure: m.desk_webapp_cure() }),
  versions: () => ({ icon: "terminal", name: m.desk_versions(), cure: "" }),
};

const aged = ({ value }: Examined, now: number): string =>
  value == null ? m.desk_never() : moment(now - value * 1000, now);
const waiting = ({ value }: Examined): string =>
  value == null ? "" : m.desk_waits({ count: Math.max(1, Math.round(value / 60)) });
const ifGood = ({ state, text }: Examined): string => (state === "good" ? text : "");

/** What a number of the doctor's says, and what is no sentence: addresses, dates, versions. */
const FACTS: Readonly<Record<string, (item: Examined, now: number) => string>> = {
  address: ({ text }) => (text.startsWith("https://") && !text.includes(" ") ? text : ""),
  certificate: ({ value }) => (value == null || value < 0 ? "" : m.desk_days_left({ count: value })),
  clock: ifGood,
  abuse: ifGood,
  versions: ifGood,
  disk: ({ value }) => (value == null ? "" : m.desk_disk_free({ size: size(value) })),
  backup: aged,
  check: (item, now) => (item.state === "bad" ? m.desk_check_found({ count: item.value ?? 0 }) : aged(item, now)),
  operator: ({ value }) => (value == null ? "" : counted(value)),
  push: waiting,
  work: waiting,
};
/** Where the server's own words say which file, host or name it is. */
const TELLING: ReadonlySet<string> = new Set([
  ...["address", "certificate", "clock", "disk", "storage", "bus", "secrets", "mail", "witnesses"],
]);

/** What to show; `said`: the server's own English. One that this page does not know yet keeps the server's words. */
export function thingOf(item: Examined, now: number): Omit<Thing, "cure"> & { note: string; said: string } {
  const thing = THINGS[item.name]?.();
  if (!thing)
    return { icon: "info", name: item.name, note: "", said: [item.text, item.cure].filter(Boolean).join(" · ") };
  const { icon, name, cure } = thing;
  const fact = FACTS[item.name]?.(item, now) ?? "";
  if (item.state === "good") return { icon, name, note: fact, said: "" };
  const said = fact === "" && TELLING.has(item.name) ? item.text : "";
  return { icon, name, note: [fact, cure].filter(Boolean).join(" · "), said };
}

interface TrialWords {
  icon: IconName;
  name: string;
  good: string;
  cure: string;
}

export function trialWords(trial: Trial): TrialWords {
  const words: Readonly<Record<Trial, TrialWords>> = {
    secure: { icon: "seal", name: m.try_secure(), good: m.try_secure_good(), cure: m.try_secure_cure() },
    camera: { icon: "camera", name: m.try_camera(), good: m.try_camera_good(), cure: m.try_camera_cure() },
    clock: { icon: "clock", name: m.try_clock(), good: m.try_clock_good(), cure: m.try_clock_cure() },
    upload: { icon: "stored", name: m.try_upload(), good: m.try_upload_good(), cure: m.try_upload_cure() },
    range: { icon: "play", name: m.try_range(), good: m.try_range_good(), cure: m.try_range_cure() },
    live: { icon: "inbox", name: m.try_live(), good: m.try_live_good(), cure: m.try_live_cure() },
    push: { icon: "info", name: m.try_push(), good: m.try_push_good(), cure: m.try_push_cure() },
  };
  return words[trial];
}

export function trialNote(trial: Trial, { state }: Outcome): string {
  const { good, cure } = trialWords(trial);
  if (state === "waiting") return m.try_waiting();
  if (state === "running") return m.try_running();
  return state === "good" ? good : cure;
}

export function reasonWord(report: DeskReport): string {
  const words: Readonly<Record<string, () => string>> = {
    spam: m.report_spam,
    harassment: m.report_harassment,
    violence: m.report_violence,
    sexual: m.report_sexual,
    "child-safety": m.report_child,
    other: m.report_other,
  };
  return words[report.reason]?.() ?? report.reason;
}

export const reportNote = (report: DeskReport, now: number): string =>
  [
    m.desk_from({ sender: report.sender ?? m.desk_caller(), reporter: report.reporter ?? m.desk_gone() }),
    day(report.created_at, now),
    report.note,
  ]
    .filter(Boolean)
    .join(" · ");

export const sizeNote = (count: number, bytes: number): string => [m.desk_count({ count }), size(bytes)].join(" · ");

export const personNote = (person: DeskPerson, now: number): string =>
  [
    sizeNote(person.messages, person.bytes),
    m.desk_since({ day: day(person.created_at, now) }),
    person.seen_at == null ? "" : m.desk_seen({ day: day(person.seen_at, now) }),
  ]
    .filter(Boolean)
    .join(" · ");

const DOINGS: Readonly<Record<string, () => string>> = {
  look: m.desk_act_look,
  quarantine: m.desk_act_quarantine,
  ban: m.desk_act_ban,
  dismiss: m.desk_act_dismiss,
  switch: m.desk_act_switch,
  invite: m.desk_act_invite,
  revoke: m.desk_act_revoke,
  retry: m.desk_act_retry,
  give: m.desk_act_give,
  "record-payment": m.desk_act_payment,
  "end-grant": m.desk_act_end_grant,
};

export const actWord = ({ act }: DeskAct): string => DOINGS[act]?.() ?? act;
export const actNote = (act: DeskAct, now: number): string =>
  [act.operator || m.desk_terminal(), moment(act.at, now), act.subject, act.note].filter(Boolean).join(" · ");

const TASKS: Readonly<Record<string, () => string>> = {
  "delete-blob": m.desk_task_delete,
  "delete-account": m.desk_task_account,
  tell: m.desk_task_tell,
  push: m.desk_task_push,
  webhook: m.desk_task_webhook,
  payment: m.desk_task_payment,
};

export function taskWord({ kind }: DeskTasks): string {
  const word = TASKS[kind] ?? (kind.startsWith("mail") ? m.desk_task_mail : null);
  return word?.() ?? kind;
}

export const taskNote = (task: DeskTasks, now: number): string =>
  [
    task.kind,
    m.desk_tasks({ count: task.count }),
    moment(task.oldest_due_at, now),
    task.failing > 0 ? m.desk_failing({ count: task.failing, times: task.attempts }) : "",
  ]
    .filter(Boolean)
    .join(" · ");
