"""SQL of backups and checks, on SQLite's own driver: it copies a living database, and reads one that no server has open.

Columns that came with a later migration are asked for only where they are, so that data of an older release can be copied too.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from restante.server.db.agreement import DISAGREEMENTS
from restante.server.db.hold import PREFIX

DATABASE = "restante.sqlite3"
_BUSY_S = 10.0
_AHEAD = 1_000_000
"""How far numbers that are never used twice are moved on by a restore: beyond what was given out since the backup."""


@dataclass(frozen=True, slots=True)
class BlobRow:
    """An upload whose blob is there, or should be."""

    id: str
    length: int | None
    is_finished: bool
    sha256: bytes | None
    is_leaving: bool
    """Its removal waits in the outbox, or has just been carried out."""


class ActRow(NamedTuple):
    """A line of the desk's record."""

    seq: int
    operator: str
    act: str
    subject: str
    note: str
    created_at: int
    sha256: bytes


def living(folder: Path) -> sqlite3.Connection:
    """Opens the database of a data folder, which a server may have open too."""
    connection = sqlite3.connect(folder / DATABASE, timeout=_BUSY_S, isolation_level=None)
    connection.execute("PRAGMA foreign_keys=ON")
    return connection


def sealed(path: Path) -> sqlite3.Connection:
    """Opens a database that nobody changes, without leaving anything beside it."""
    return sqlite3.connect(f"file:{_quoted(path)}?mode=ro&immutable=1", uri=True, isolation_level=None)


def snapshot(folder: Path, target: Path) -> None:
    """Copies the database as it is at one moment, into one file without a log beside it."""
    with closing(living(folder)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        copy.execute("DELETE FROM meta WHERE key LIKE ?", (f"{PREFIX}%",))
        copy.commit()


def hold(connection: sqlite3.Connection, token: str, *, now_ms: int, until_ms: int) -> None:
    """Takes or renews a hold, and forgets those that have ended."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(
        "DELETE FROM meta WHERE key LIKE ? AND CAST(CAST(value AS TEXT) AS INTEGER) <= ?",
        (f"{PREFIX}%", now_ms),
    )
    _put(connection, PREFIX + token, str(until_ms))
    connection.execute("COMMIT")


def release(connection: sqlite3.Connection, token: str) -> None:
    """Ends a hold."""
    connection.execute("DELETE FROM meta WHERE key = ?", (PREFIX + token,))


def remember(connection: sqlite3.Connection, key: str, value: int) -> None:
    """Notes a number for `/metrics` and `restante doctor`."""
    _put(connection, key, str(value))


def meta(connection: sqlite3.Connection, key: str) -> bytes | None:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else bytes(row[0])


def revision(connection: sqlite3.Connection) -> str:
    return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def blobs(connection: sqlite3.Connection, only: str = "") -> Iterator[BlobRow]:
    """Every upload that has not gone, or one of them by its id."""
    known = {row[1] for row in connection.execute("PRAGMA table_info(uploads)")}
    digest = "u.sha256" if "sha256" in known else "NULL"
    rows = connection.execute(
        f"SELECT u.id, u.length, u.finished_at IS NOT NULL, {digest}, o.id IS NOT NULL FROM uploads u"  # noqa: S608 - one of two words
        " LEFT JOIN outbox o ON o.kind = 'delete-blob' AND o.subject = u.id"
        " WHERE u.gone_at IS NULL AND (? = '' OR u.id = ?) ORDER BY u.id",
        (only, only),
    )
    for row in rows:
        yield BlobRow(row[0], row[1], bool(row[2]), row[3], bool(row[4]))


def is_known(connection: sqlite3.Connection, upload_id: str) -> bool:
    """Tells whether a blob belongs to an upload, or is about to be removed."""
    found = connection.execute(
        "SELECT 1 FROM uploads WHERE id = ? AND gone_at IS NULL"
        " UNION SELECT 1 FROM outbox WHERE kind = 'delete-blob' AND subject = ?",
        (upload_id, upload_id),
    )
    return found.fetchone() is not None


def faults(connection: sqlite3.Connection) -> list[str]:
    """What SQLite itself finds wrong: pages, indexes, rows that refer to none."""
    found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(20)")]
    strays = connection.execute("PRAGMA foreign_key_check").fetchmany(20)
    return [text for text in found if text != "ok"] + [
        f"{row[0]}: row {row[1]} refers to none in {row[2]}" for row in strays
    ]


def disagreements(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Messages of which two rows say different things, and what is wrong; nothing of a database of a release before there were two."""
    if connection.execute("PRAGMA table_info(deliveries)").fetchall():
        for wrong, statement in DISAGREEMENTS.items():
            for row in connection.execute(statement).fetchmany(20):
                yield str(row[0]), wrong


def messages(
    connection: sqlite3.Connection,
) -> Iterator[tuple[str, int, str | None, int, bytes, bytes, bytes, int, int | None]]:
    """Id, sender, upload, bytes, details, their hash, claim, time, deletion of every message."""
    yield from connection.execute(
        "SELECT id, account_id, upload_id, video_bytes, details, details_sha256, claim_hmac, received_at, deleted_at FROM messages"
    )


def claimed(connection: sqlite3.Connection, upload_id: str) -> tuple[str | None, int | None] | None:
    """Which message an upload belongs to, and its size."""
    found: tuple[str | None, int | None] | None = connection.execute(
        "SELECT message_id, length FROM uploads WHERE id = ?", (upload_id,)
    ).fetchone()
    return found


def log_entries(connection: sqlite3.Connection) -> Iterator[tuple[int, int, int, bytes, bytes]]:
    """Leaf, account, revision, entry and nodes, in order."""
    yield from connection.execute("SELECT leaf, account_id, rev, entry, nodes FROM log_entries ORDER BY leaf")


def records(connection: sqlite3.Connection) -> Iterator[tuple[int, int, str, bytes]]:
    """Account, revision, name and record of every account record."""
    yield from connection.execute(
        "SELECT r.account_id, r.rev, a.name, r.record FROM account_records r JOIN accounts a ON a.id = r.account_id"
    )


def chains(connection: sqlite3.Connection) -> Iterator[tuple[int, str]]:
    """Account and line of every chain of deletions, in order."""
    yield from connection.execute("SELECT account_id, line FROM audit ORDER BY account_id, seq")


def acts(connection: sqlite3.Connection) -> list[ActRow]:
    """What operators did, in order."""
    if not connection.execute("PRAGMA table_info(desk_acts)").fetchall():
        return []
    rows = connection.execute(
        "SELECT seq, operator, act, subject, note, created_at, sha256 FROM desk_acts ORDER BY seq"
    )
    return [ActRow(*row) for row in rows]


def move_on(connection: sqlite3.Connection) -> None:
    """Lets numbers that clients remember, and that are never used twice, go on beyond those of the lost hours."""
    connection.execute(
        "UPDATE sqlite_sequence SET seq = seq + ? WHERE name IN ('events', 'accounts')", (_AHEAD,)
    )


def _put(connection: sqlite3.Connection, key: str, value: str) -> None:
    connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value.encode()))


def _quoted(path: Path) -> str:
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
