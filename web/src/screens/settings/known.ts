import { m } from "../../i18n/messages";
import type { IconName } from "../../ui/icons";
import { day, size } from "../format";
import type { Failure, FrameView } from "../views";

/** Rows that the server has in one place. */
export interface KnownTable {
  table: string;
  rows: number;
  bytes: number;
  first_at: number | null;
  last_at: number | null;
}

/** Somebody with whom there were messages. */
export interface KnownPeer {
  name: string;
  sent: number;
  received: number;
  bytes: number;
  first_at: number;
  last_at: number;
}

export interface KnownView {
  name: string;
  created_at: number;
  tables: readonly KnownTable[];
  peers: readonly KnownPeer[];
}

export interface KnownProps {
  frame: FrameView;
  state:
    | { kind: "loading" }
    | { kind: "ready"; known: KnownView }
    | { kind: "failed"; failure: Failure }
    | { kind: "offline" };
  now: number;
  onretry: () => void;
}

const TABLES: Readonly<Record<string, [IconName, () => string]>> = {
  accounts: ["person", () => m.known_accounts()],
  account_records: ["sealed", () => m.known_records()],
  log_entries: ["sealed", () => m.known_log()],
  keyrings: ["sealed", () => m.known_keyrings()],
  state_shards: ["sealed", () => m.known_shards()],
  unlock_methods: ["sealed", () => m.known_unlock()],
  passkeys: ["key", () => m.known_passkeys()],
  pairings: ["laptop", () => m.known_pairings()],
  passkey_ceremonies: ["clock", () => m.known_ceremonies()],
  sessions: ["laptop", () => m.known_sessions()],
  uploads: ["stored", () => m.known_uploads()],
  remote_blobs: ["stored", () => m.known_remote()],
  remote_parts: ["stored", () => m.known_remote_parts()],
  messages: ["camera", () => m.known_messages()],
  envelopes: ["stored", () => m.known_envelopes()],
  events: ["clock", () => m.known_events()],
  links: ["globe", () => m.known_links()],
  link_views: ["play", () => m.known_views()],
  acquaintances: ["people", () => m.known_acquaintances()],
  reports: ["care", () => m.known_reports()],
  bans: ["bad", () => m.known_bans()],
  pages: ["inbox", () => m.known_pages()],
  calls: ["inbox", () => m.known_calls()],
  audit: ["trash", () => m.known_audit()],
  push_subscriptions: ["laptop", () => m.known_push()],
  quiet_hours: ["clock", () => m.known_quiet()],
  mail_addresses: ["mail", () => m.known_mail()],
  notices: ["clock", () => m.known_told()],
  account_countries: ["globe", () => m.known_country()],
  waiting: ["clock", () => m.known_waiting()],
  admissions: ["key", () => m.known_admission()],
  operators: ["gear", () => m.known_operator()],
  idempotency_keys: ["again", () => m.known_repeats()],
  customers: ["person", () => m.known_customers()],
  subscriptions: ["clock", () => m.known_subscriptions()],
  grants: ["stored", () => m.known_grants()],
  plan_usage: ["camera", () => m.known_usage()],
};

/** What a table is to a person; one that this page does not know yet keeps the server's own word. */
export function tableWords({ table }: KnownTable): { icon: IconName; name: string } {
  const [icon, name] = TABLES[table] ?? ["info", () => table];
  return { icon, name: name() };
}

export function tableNote(table: KnownTable, now: number): string {
  const parts: string[] = [m.known_rows({ count: table.rows })];
  if (table.bytes > 0) parts.push(size(table.bytes));
  if (table.first_at !== null) parts.push(m.known_since({ day: day(table.first_at, now) }));
  return parts.join(" · ");
}

export function peerNote(peer: KnownPeer, now: number): string {
  const { sent, received } = peer;
  return [m.known_peer({ sent, received }), size(peer.bytes), m.known_last({ day: day(peer.last_at, now) })].join(
    " · ",
  );
}
