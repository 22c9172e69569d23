"""A large installation on PostgreSQL, made where it will lie: accounts, messages, copies and events are functions of their number.

[Note: Twenty million in minutes] One transaction empties the tables, fills them while their indexes sleep, and wakes those at the end. What is new in a
transaction needs no write-ahead log (``wal_level = minimal``), and an index that is built at once needs no searching.
"""

from sqlalchemy import Connection, Engine, text

EACH = 20
"""Messages of an account, as its recipient and as its sender alike."""
STEP = 1_000_000
TABLES = ("accounts", "sessions", "messages", "envelopes", "deliveries", "events")
DETAILS, ENVELOPE = 32, 48

_DRAWN = "(hashint8extended(n, {seed}) & 9223372036854775807)"
_SENT = f"""
    SELECT n, 'msg_' || translate(left(md5(n::text), 26), '0189', 'ghij') AS id,
        1 + {_DRAWN.format(seed=1)} % :accounts AS sender, 1 + {_DRAWN.format(seed=2)} % :accounts AS owner,
        :now - 3600000 * ({_DRAWN.format(seed=3)} % 2160) AS at, sha256(int8send(n)) AS hash
    FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n
"""
_ACCOUNTS = "INSERT INTO accounts (id, name, created_at) SELECT n, 'filled-' || n, :now FROM generate_series(1, :accounts) AS n"
_SESSIONS = """
    INSERT INTO sessions (id, account_id, token_sha256, client, created_at, last_seen_at)
    SELECT 'ses_' || translate(left(md5(n::text), 26), '0189', 'ghij'), n, sha256(int4send(n)), 'web', :now, :now
    FROM generate_series(1, :accounts) AS n
"""
_MESSAGES = f"""
    INSERT INTO messages (id, account_id, kind, video_bytes, details, details_sha256, claim_hmac, request_sha256, received_at)
    SELECT id, sender, 'text', 0, :details, hash, hash, hash, at FROM ({_SENT}) AS sent
"""
_EVENTS = f"""
    INSERT INTO events (id, account_id, kind, message_id, created_at)
    SELECT 2 * n - place, CASE place WHEN 1 THEN owner ELSE sender END, 'message', id, at
    FROM ({_SENT}) AS sent, (VALUES (1), (0)) AS places (place)
"""
_COPIES = f"""
    INSERT INTO envelopes (message_id, account_id, box, envelope, received_at, change,
        sender_id, kind, video_bytes, details_sha256, until_played, may_forward, by_caller, quarantine_reason)
    SELECT id, CASE place WHEN 1 THEN owner ELSE sender END, CASE place WHEN 1 THEN 'inbox' ELSE 'sent' END, :envelope, at, 2 * n - place,
        sender, 'text', 0, hash, 0, 0, 0, ''
    FROM ({_SENT}) AS sent, (VALUES (1), (0)) AS places (place)
"""
_DELIVERIES = f"""
    INSERT INTO deliveries (message_id, account_id, recipient_id, is_hidden) SELECT id, sender, owner, 0 FROM ({_SENT}) AS sent
"""
_SLEEP = "UPDATE pg_index SET indisready = false WHERE indrelid = ANY (CAST(:tables AS regclass[]))"
COUNT_ON = "SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"


def fill_postgres(engine: Engine, messages: int, *, now_ms: int, accounts: int | None = None) -> None:
    """Fills a database that has the tables and nothing in them. Asks for a superuser."""
    with engine.connect() as raw:
        connection = raw.execution_options(isolation_level="READ COMMITTED")
        with connection.begin():
            _fill(connection, messages, accounts or max(2, messages // EACH), now_ms)
    with engine.connect() as connection:
        for table in TABLES:
            connection.execute(text(f"VACUUM (ANALYZE) {table}"))


def _fill(connection: Connection, messages: int, accounts: int, now_ms: int) -> None:
    connection.execute(text("SET LOCAL session_replication_role = replica"))  # no foreign key is looked up
    connection.execute(text(f"TRUNCATE {', '.join(TABLES)} CASCADE"))
    connection.execute(text(_SLEEP), {"tables": list(TABLES)})
    values = {
        "accounts": accounts,
        "now": now_ms,
        "details": b"\1" * DETAILS,
        "envelope": b"\1" * ENVELOPE,
    }
    for statement in (_ACCOUNTS, _SESSIONS):
        connection.execute(text(statement), values)
    for first in range(1, messages + 1, STEP):
        span = {"first": first, "last": min(messages, first + STEP - 1)}
        for statement in (_MESSAGES, _EVENTS, _COPIES, _DELIVERIES):
            connection.execute(text(statement), values | span)
    for table in TABLES:
        connection.execute(text(f"REINDEX TABLE {table}"))
    for table in ("accounts", "events"):
        connection.execute(text(COUNT_ON.format(table=table)))
