"""The whole schema. Every per-account row carries ``account_id`` (the shard key); times are Unix milliseconds.

Only ``queries.py`` of a domain, and the rooms `sessions`, `limits` and `outbox`, speak SQL.
"""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Text, UniqueConstraint, text

from restante.server.db import blob_tables, entry_tables, message_tables, plan_tables  # noqa: F401 - their tables belong to the schema
from restante.server.db.shapes import (
    Big,
    metadata,  # noqa: F401 - whoever wants every table finds it here
)
from restante.server.db.shapes import a_column as _column
from restante.server.db.shapes import a_partial_index as _partial_index
from restante.server.db.shapes import a_table as _table
from restante.server.db.shapes import an_account as _account

meta = _table(
    "meta",
    _column("key", Text, "server_name, or the name of a server secret", primary_key=True),
    _column("value", LargeBinary, "its bytes"),
)

accounts = _table(
    "accounts",
    _column("id", Big, "never reused", primary_key=True, autoincrement=True),
    _column("name", Text, "left side of the acct", unique=True),
    _column("created_at", Big, "sign-up"),
    sqlite_autoincrement=True,
)

account_records = _table(
    "account_records",
    _account(primary_key=True),
    _column("rev", Big, "1, 2, 3 … without gaps", primary_key=True),
    _column("record", LargeBinary, "the signed container, exactly as received"),
    _column("created_at", Big, "when the server stored it"),
)

log_entries = _table(
    "log_entries",
    _column("leaf", Big, "its place in the log, from 0, without gaps", primary_key=True, autoincrement=False),
    _column("account_id", Big, "whose record it is or was: the log outlives accounts"),
    _column("rev", Big, "which of their records"),
    _column("entry", LargeBinary, "hash of the acct and hash of the record"),
    _column("nodes", LargeBinary, "hashes of the subtrees that it completes, from the leaf up"),
    Index("ix_log_entries_account_id_rev", "account_id", "rev", unique=True),
)

keyrings = _table(
    "keyrings",
    _account(primary_key=True),
    _column("version", Text, "ETag of the current one"),
    _column("keyring", LargeBinary, "keyring.age, current"),
    _column(
        "previous", LargeBinary, "the one before, for the case that a client stored a bad one", nullable=True
    ),
    _column("updated_at", Big, "when the current one was stored"),
)

state_shards = _table(
    "state_shards",
    _account(primary_key=True),
    _column("shard", Text, "contacts, settings, seen-2026-11 …", primary_key=True),
    _column("version", Text, "ETag"),
    _column("bytes", LargeBinary, "an age file to the state key"),
    _column("updated_at", Big, "when it was stored"),
)

unlock_methods = _table(
    "unlock_methods",
    _column("id", Big, "never reused", primary_key=True, autoincrement=True),
    _account(),
    _column("type", Text, "passphrase or recovery"),
    _column("bearer_sha256", LargeBinary, "SHA-256 of the bearer; the bearer is never stored"),
    _column("salt", LargeBinary, "Argon2id salt of a passphrase", nullable=True),
    _column("created_at", Big, "when it was enrolled"),
    _column("last_used_at", Big, "last sign-in or verification by it", nullable=True),
    Index("ix_unlock_methods_account_id_type", "account_id", "type"),
    sqlite_autoincrement=True,
)

passkeys = _table(
    "passkeys",
    _account(primary_key=True),
    _column("mid", Text, "mth_…, as in the keyring", primary_key=True),
    _column("credential_id", LargeBinary, "the authenticator's name for it", unique=True),
    _column("public_key", LargeBinary, "COSE key"),
    _column("user_handle", LargeBinary, "random name of the account for authenticators"),
    _column("rp_id", Text, "host that it was made for"),
    _column("sign_count", Big, "the authenticator's counter when it was used last"),
    _column("backup_eligible", Integer, "1: it may be synchronised between devices; never changes"),
    _column("transports", Text, "how browsers may reach it, separated by commas"),
    _column("label", Text, "what its person calls it"),
    _column("created_at", Big, "when it was enrolled"),
    _column("last_used_at", Big, "last sign-in or verification by it", nullable=True),
)

passkey_ceremonies = _table(
    "passkey_ceremonies",
    _column("id", Text, "cer_…", primary_key=True),
    _column("kind", Text, "registration or assertion"),
    _column("challenge", LargeBinary, "32 random bytes"),
    _column("origin", Text, "where it must be answered from"),
    _column("user_handle", LargeBinary, "of a registration: the handle for the new passkey", nullable=True),
    _column("name", Text, "of a sign-up's registration: the name wanted", nullable=True),
    _column(
        "account_id",
        Big,
        "of a registration for an account",
        ForeignKey("accounts.id", ondelete="CASCADE"),
        nullable=True,
    ),
    _column("expires_at", Big, "not good from then on", index=True),
)

sessions = _table(
    "sessions",
    _column("id", Text, "ses_…, shown in the list of sessions", primary_key=True),
    _account(index=True),
    _column("token_sha256", LargeBinary, "SHA-256 of the token", unique=True),
    _column("client", Text, "web or cli"),
    _column("label", Text, "what it calls itself, or empty", server_default=text("''")),
    _column("device", Text, "dev_… of the account's keyring, if it said so", nullable=True),
    _column("created_at", Big, "sign-in"),
    _column("last_seen_at", Big, "coarse: written at most once an hour"),
    _column("verified_at", Big, "when the person last showed who they are", server_default=text("0")),
    _column("removed_at", Big, "when another device ended it; it is told so when it asks", nullable=True),
)

pairings = _table(
    "pairings",
    _column("lookup", Text, "the half of the address that the server knows", primary_key=True),
    _column("device_code_sha256", LargeBinary, "SHA-256 of the secret of the machine that asks", unique=True),
    _column("label", Text, "what the machine calls itself"),
    _column("state", Text, "asked, approved or refused"),
    _column(
        "account_id",
        Big,
        "who decided",
        ForeignKey("accounts.id", ondelete="CASCADE"),
        nullable=True,
        index=True,
    ),
    _column("device", Text, "dev_… of the account's keyring", nullable=True),
    _column("session_id", Text, "what the machine was given", nullable=True),
    _column("interval_s", Integer, "between two polls; grows when the machine is too quick"),
    _column("polled_at", Big, "last poll", nullable=True),
    _column("created_at", Big, "when the machine asked"),
    _column("expires_at", Big, "for the sweep", index=True),
)

uploads = _table(
    "uploads",
    _column("id", Text, "upl_…, also the name of the blob", primary_key=True),
    _account(index=True),
    _column("capability_sha256", LargeBinary, "SHA-256 of the capability token given at creation"),
    _column("length", Big, "bytes announced; null while deferred", nullable=True),
    _column("created_at", Big, "creation"),
    _column("finished_at", Big, "when the last byte was acknowledged", nullable=True),
    _column("message_id", Text, "the message that claimed it", nullable=True, unique=True),
    _column("gone_at", Big, "when it was terminated or expired: a tombstone that answers 410", nullable=True),
    _column("call_sha256", LargeBinary, "the caller who made it; null: the account itself", nullable=True),
    _column("sha256", LargeBinary, "of the finished blob, soon after it: finds damage", nullable=True),
    _partial_index(
        "ix_uploads_unsummed", "id", where="sha256 IS NULL AND finished_at IS NOT NULL AND gone_at IS NULL"
    ),
    _partial_index(
        "ix_uploads_unfinished", "account_id", "length", where="finished_at IS NULL AND gone_at IS NULL"
    ),
    _partial_index("ix_uploads_unclaimed", "finished_at", where="message_id IS NULL AND gone_at IS NULL"),
    _partial_index("ix_uploads_gone_at", "gone_at", where="gone_at IS NOT NULL"),
)

messages = _table(
    "messages",
    _column("id", Text, "msg_…, made by the sender's client", primary_key=True),
    _account(index=True),
    _column("kind", Text, "video, text or reaction"),
    _column("upload_id", Text, "the blob of video.age", nullable=True),
    _column("video_bytes", Big, "size of video.age, 0 without"),
    _column("details", LargeBinary, "details.age; emptied at deletion"),
    _column("details_sha256", LargeBinary, "the sender's claim, checked"),
    _column(
        "claim_hmac", LargeBinary, "HMAC of id, claim, sender and time: proves an abuse report after deletion"
    ),
    _column("request_sha256", LargeBinary, "of the whole send: the same id with other bytes is refused"),
    _column("received_at", Big, "when the server acknowledged it"),
    _column("expires_at", Big, "when it deletes itself", nullable=True, index=True),
    _column("deleted_at", Big, "deleted for everyone, or expired", nullable=True, index=True),
    _column("quarantined_at", Big, "when the operator took it out of sight", nullable=True),
    _column("quarantine_reason", Text, "why; told to those who ask for it", server_default=text("''")),
    _column(
        "until_played",
        Integer,
        "1: it ends soon after its last recipient played it",
        server_default=text("0"),
    ),
    _column("may_forward", Integer, "1: its recipients may pass it on", server_default=text("0")),
    _column(
        "by_caller", Integer, "1: left for the account by somebody without one", server_default=text("0")
    ),
)

envelopes = _table(
    "envelopes",
    _column(
        "message_id",
        Text,
        "of which message",
        ForeignKey("messages.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    _account(primary_key=True),
    _column(
        "box",
        Text,
        "inbox, sent for the sender's own copy, hidden when the recipient had blocked the sender, or past once the"
        " tombstone of a received copy has run out",
        primary_key=True,
    ),
    _column("envelope", LargeBinary, "envelope.age; emptied at deletion", nullable=True),
    _column("received_at", Big, "order in the box"),
    _column("change", Big, "grows with every change of the row: id of the event that tells it"),
    _column("fetched_at", Big, "first download by the recipient", nullable=True),
    _column("played_at", Big, "first play by the recipient", nullable=True),
    _column("deleted_at", Big, "tombstone", nullable=True, index=True),
    _column("quiet", Integer, "1: the sender is not shown the two times before", server_default=text("0")),
    _column("delivery_receipt", LargeBinary, "signed by the recipient, for the sender", nullable=True),
    _column("play_receipt", LargeBinary, "likewise", nullable=True),
    _column("forwarded_by", Big, "account that passed the message on to this one", nullable=True),
    *message_tables.facts(),
    Index("ix_envelopes_box", "account_id", "box", "received_at", "message_id"),
    Index("ix_envelopes_change", "account_id", "box", "change"),
)

links = _table(
    "links",
    _column("id", Text, "lnk_…", primary_key=True),
    _account(index=True),
    _column("message_id", Text, "what it opens", ForeignKey("messages.id", ondelete="CASCADE")),
    _column("bearer_sha256", LargeBinary, "SHA-256 of the bearer; the bearer is never stored", index=True),
    _column(
        "envelope",
        LargeBinary,
        "envelope.age; emptied when the link is revoked or the message ends",
        nullable=True,
    ),
    _column("may_save", Integer, "1: the owner lets guests save the video"),
    _column("may_answer", Integer, "1: guests may leave a video for the owner"),
    _column("created_at", Big, "when it was made"),
    _column("expires_at", Big, "opens nothing from then on", nullable=True),
    _column("most_opens", Integer, "how often it may be opened", nullable=True),
    _column("opens", Integer, "how often it was"),
    _column("last_opened_at", Big, "last counted open", nullable=True),
    _column("revoked_at", Big, "when its owner took it back", nullable=True),
    UniqueConstraint("message_id", "bearer_sha256"),
)

link_views = _table(
    "link_views",
    _column("token_sha256", LargeBinary, "SHA-256 of the view token", primary_key=True),
    _account(index=True),
    _column("link_id", Text, "by which link", ForeignKey("links.id", ondelete="CASCADE"), index=True),
    _column("created_at", Big, "the counted open"),
    _column("expires_at", Big, "shows nothing from then on", index=True),
)

acquaintances = _table(
    "acquaintances",
    _account(primary_key=True),
    _column("who", LargeBinary, "keyed hash of the owner and somebody else", primary_key=True),
    _column("state", Text, "accepted or blocked"),
    _column("created_at", Big, "when the owner decided"),
)

reports = _table(
    "reports",
    _column("id", Text, "rep_…", primary_key=True),
    Column(
        "account_id",
        Big,
        ForeignKey("accounts.id", ondelete="SET NULL"),
        nullable=True,
        index=True,
        comment="who reported it; empty once that account is deleted",
    ),
    _column("message_id", Text, "what is reported"),
    _column("sender_id", Big, "account that left it; outlives it", nullable=True),
    _column("sender", Text, "its name, or empty for a caller without account"),
    _column("upload_id", Text, "blob of its video", nullable=True),
    _column("reason", Text, "one of the words of the API"),
    _column("note", Text, "the reporter's own words"),
    _column("container", LargeBinary, "the envelope's plaintext, disclosed, with the message key"),
    _column("details", LargeBinary, "details.age at that time; empty when the message was gone"),
    _column("received_at", Big, "when the message was left"),
    _column("created_at", Big, "when it was reported"),
    _column("state", Text, "open, quarantined, banned or dismissed"),
    _column("decision", Text, "the operator's reason"),
    _column("decided_at", Big, "when the operator decided", nullable=True),
    UniqueConstraint("account_id", "message_id"),
    Index("ix_reports_state", "state", "created_at"),
    Index("ix_reports_message_id", "message_id"),
)

bans = _table(
    "bans",
    _account(primary_key=True),
    _column("reason", Text, "told to the account"),
    _column("created_at", Big, "from when on"),
)

pages = _table(
    "pages",
    _account(primary_key=True),
    _column("is_on", Integer, "1: callers find it"),
    _column("access", Text, "who may call: anyone, signed-in or link"),
    _column("bearer_sha256", LargeBinary, "SHA-256 of the bearer in the page's link", nullable=True),
    _column("profile", LargeBinary, "profile.age: what the page says, for who has its link", nullable=True),
    _column("greeting_link", Text, "lnk_… that opens the greeting", nullable=True),
    _column("hours", Text, "when it takes calls, as JSON; null: always", nullable=True),
    _column("updated_at", Big, "when its owner last changed it"),
)

calls = _table(
    "calls",
    _column("token_sha256", LargeBinary, "SHA-256 of the caller's capability", primary_key=True),
    _account(index=True),
    _column(
        "view_sha256", LargeBinary, "the view of a guest link that it came from", nullable=True, unique=True
    ),
    _column("message_id", Text, "the one message that it left", nullable=True),
    _column("created_at", Big, "when it was let in"),
    _column("expires_at", Big, "good until then", index=True),
)

desk_acts = _table(
    "desk_acts",
    _column("seq", Big, "1, 2, 3 … without gaps", primary_key=True, autoincrement=False),
    _column("operator", Text, "name of the account"),
    _column("act", Text, "look, quarantine, ban or dismiss"),
    _column("subject", Text, "which report"),
    _column("note", Text, "the reason given"),
    _column("created_at", Big, "when"),
    _column("sha256", LargeBinary, "of the line and the hash of the one before"),
)

spent_challenges = _table(
    "spent_challenges",
    _column("nonce", Text, "of a proof of work that was taken: it counts once", primary_key=True),
    _column("expires_at", Big, "not good any more from then on", index=True),
)

events = _table(
    "events",
    _column(
        "id", Big, "the live channel's Last-Event-ID; never reused", primary_key=True, autoincrement=True
    ),
    _account(),
    _column("kind", Text, "message, mark or deleted"),
    _column("message_id", Text, "which message"),
    _column("created_at", Big, "for the sweep"),
    Index("ix_events_account_id_id", "account_id", "id"),
    sqlite_autoincrement=True,
)

audit = _table(
    "audit",
    _account(primary_key=True),
    _column("seq", Big, "1, 2, 3 … without gaps", primary_key=True),
    _column("line", Text, "strict JSON that names the hash of the line before"),
    _column("created_at", Big, "for the sweep", index=True),
)

idempotency_keys = _table(
    "idempotency_keys",
    _column("session_id", Text, "scope: keys of two devices never meet", primary_key=True),
    _column("key", Text, "as sent", primary_key=True),
    _column("account_id", Big, "whose session it is", index=True, server_default=text("0")),
    _column("request_sha256", LargeBinary, "what was asked"),
    _column("answer", LargeBinary, "the JSON that was answered"),
    _column("created_at", Big, "for the sweep", index=True),
)

outbox = _table(
    "outbox",
    _column("id", Big, "order of work", primary_key=True, autoincrement=True),
    _column(
        "kind",
        Text,
        "delete-blob, delete-account, tell, push, mail, mail-code, mail-opened, mail-ticket, mail-invite, webhook, …",
    ),
    _column("subject", Text, "id of what it is about"),
    _column("account_id", Big, "whose it is, where that tells the shard", nullable=True),
    _column("due_at", Big, "not before"),
    _column("attempts", Integer, "failed tries so far"),
    _column("handed", Integer, "how often it went out without an answer", server_default=text("0")),
    _column(
        "held_by",
        Text,
        "the node that has it in hand; empty: none, or there is only one",
        server_default=text("''"),
    ),
    _column("held_until", Big, "from when on another node may take it", server_default=text("0")),
    Index("ix_outbox_due_at", "due_at"),
    UniqueConstraint("kind", "subject"),
    sqlite_autoincrement=True,
)

leases = _table(
    "leases",
    _column("name", Text, "sweep, or payment:… of a customer", primary_key=True),
    _column("holder", Text, "the node that does it"),
    _column("until_at", Big, "from when on another may"),
)

reserved_names = _table(
    "reserved_names",
    _column("name_sha256", LargeBinary, "SHA-256 of a name whose account was deleted", primary_key=True),
    _column("created_at", Big, "the deletion"),
)

push_subscriptions = _table(
    "push_subscriptions",
    _column("id", Text, "psh_…", primary_key=True),
    _account(index=True),
    _column(
        "session_id",
        Text,
        "whose browser; it ends with the session",
        ForeignKey("sessions.id", ondelete="CASCADE"),
        index=True,
    ),
    _column("endpoint", Text, "address at the browser's push service"),
    _column("p256dh", LargeBinary, "the browser's public key"),
    _column("auth", LargeBinary, "secret shared with the browser"),
    _column("created_at", Big, "when it was made"),
    _column("renewed_at", Big, "last visit"),
    _column("not_before_at", Big, "its push service wants nothing before", nullable=True),
    UniqueConstraint("account_id", "endpoint"),
)

quiet_hours = _table(
    "quiet_hours",
    _account(primary_key=True),
    _column("begins", Integer, "minute of the day"),
    _column("ends", Integer, "minute of the day"),
    _column("zone", Text, "time zone, such as Europe/Paris"),
)

mail_addresses = _table(
    "mail_addresses",
    _account(primary_key=True),
    _column("address", Text, "where mail goes"),
    _column("every_s", Big, "at most one mail in this time"),
    _column("language", Text, "en or fr"),
    _column("code_expires_at", Big, "until when the code is good; the code is stored nowhere", nullable=True),
    _column("verified_at", Big, "when the code came back", nullable=True),
    _column("mailed_at", Big, "last mail", nullable=True),
    _column("created_at", Big, "when it was set"),
)

notices = _table(
    "notices",
    _account(primary_key=True),
    _column("cause", Text, "message, caller or request", primary_key=True),
    _column("told_at", Big, "when the account was told of it last"),
)

operators = _table(
    "operators",
    _account(primary_key=True),
    _column("created_at", Big, "when the account became an operator"),
)

operator_links = _table(
    "operator_links",
    _column("token_sha256", LargeBinary, "of the secret in the link", primary_key=True),
    _column("created_at", Big, "when it was made"),
    _column("expires_at", Big, "until when it is good; its row goes when it is used"),
)

rate_buckets = _table(
    "rate_buckets",
    _column("key", Text, "limiter and keyed hash of who", primary_key=True),
    _column("level_ms", Big, "theoretical arrival time of the next request (GCRA), Unix ms"),
)
