import { m } from "../../i18n/messages";
import { day, size } from "../format";
import type { DeletionsPhase, StoragePhase } from "./props";

type Storage = Extract<StoragePhase, { kind: "ready" }>["storage"];
type StoredWith = Storage["received"][number];
type Line = Extract<DeletionsPhase, { kind: "ready" }>["lines"][number];

/** What lies there with one person, in both directions. */
export interface PersonStored {
  name: string;
  received: number;
  sent: number;
  bytes: number;
  lastAt: number;
}

/** The largest first. */
export function byPerson(storage: Storage): PersonStored[] {
  const found = new Map<string, PersonStored>();
  const add = (one: StoredWith, box: "received" | "sent"): void => {
    const known = found.get(one.name) ?? { name: one.name, received: 0, sent: 0, bytes: 0, lastAt: 0 };
    const [bytes, lastAt] = [known.bytes + one.bytes, Math.max(known.lastAt, one.last_at)];
    found.set(one.name, { ...known, [box]: one.messages, bytes, lastAt });
  };
  for (const one of storage.received) add(one, "received");
  for (const one of storage.sent) add(one, "sent");
  return [...found.values()].sort((one, other) => other.bytes - one.bytes || one.name.localeCompare(other.name));
}

export function personNote({ received, sent, bytes, lastAt }: PersonStored, now: number): string {
  return [size(bytes), m.known_peer({ sent, received }), m.known_last({ day: day(lastAt, now) })].join(" · ");
}

/** What happened, in one sentence. */
export function lineWords({ act, by }: Line, mine: string, nameOf: (account: string) => string): string {
  if (act === "removed") return m.deletions_removed();
  if (act === "expired") return m.deletions_expired();
  if (by === mine) return m.deletions_by_you();
  return by === null ? m.deletions_deleted() : m.deletions_by({ name: nameOf(by) });
}
