"""SQL of the uploads; each function runs in the caller's transaction."""

from dataclasses import dataclass

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from restante.server.db.tables import uploads as table
from restante.server.outbox import queue

_UNFINISHED = (table.c.finished_at.is_(None), table.c.gone_at.is_(None))
_CHUNK = 500
"""Ids in one IN list; SQLite allows some thousand variables."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One row; ``length`` is None while deferred."""

    id: str
    account_id: int
    capability_sha256: bytes
    length: int | None
    created_at: int
    finished_at: int | None
    message_id: str | None
    gone_at: int | None


def find(connection: Connection, upload_id: str) -> Upload | None:
    row = connection.execute(select(table).where(table.c.id == upload_id)).first()
    return _upload(row) if row is not None else None


def add(connection: Connection, upload: Upload) -> None:
    connection.execute(
        insert(table).values({name: getattr(upload, name) for name in Upload.__dataclass_fields__})
    )


def unfinished_count(connection: Connection, account_id: int) -> int:
    """How many uploads of the account are neither finished nor gone."""
    return int(
        connection.execute(
            select(func.count()).select_from(table).where(table.c.account_id == account_id, *_UNFINISHED)
        ).scalar_one()
    )


def reserved_bytes(connection: Connection, *, deferred: int) -> int:
    """Sum of the lengths of all unfinished uploads, ``deferred`` for each whose length is not known."""
    total = func.coalesce(func.sum(func.coalesce(table.c.length, deferred)), 0)
    return int(connection.execute(select(total).where(*_UNFINISHED)).scalar_one())


def set_length(connection: Connection, upload_id: str, length: int) -> bool:
    """Sets a deferred length; False when the upload is gone or has one."""
    change = update(table).where(table.c.id == upload_id, table.c.length.is_(None), *_UNFINISHED)
    return connection.execute(change.values(length=length)).rowcount == 1


def finish(connection: Connection, upload_id: str, length: int, *, now_ms: int) -> int | None:
    """Marks the upload finished, once; returns when it was, or None when it is gone."""
    connection.execute(
        update(table).where(table.c.id == upload_id, *_UNFINISHED).values(finished_at=now_ms, length=length)
    )
    found = find(connection, upload_id)
    return found.finished_at if found is not None and found.gone_at is None else None


def claim(connection: Connection, upload_id: str, message_id: str) -> None:
    connection.execute(update(table).where(table.c.id == upload_id).values(message_id=message_id))


def bury(connection: Connection, upload_id: str, *, now_ms: int) -> bool:
    """Makes an unclaimed upload a tombstone and queues its blob for removal; False when it is gone or claimed."""
    change = update(table).where(
        table.c.id == upload_id, table.c.gone_at.is_(None), table.c.message_id.is_(None)
    )
    buried = connection.execute(change.values(gone_at=now_ms)).rowcount == 1
    if buried:
        queue.enqueue(connection, "delete-blob", upload_id, due_ms=now_ms)
    return buried


def bury_unfinished(connection: Connection, upload_id: str, *, now_ms: int) -> bool:
    """The same, unless it was finished in the meantime."""
    found = find(connection, upload_id)
    return found is not None and found.finished_at is None and bury(connection, upload_id, now_ms=now_ms)


def set_gone(connection: Connection, upload_id: str, *, now_ms: int) -> None:
    """Makes a tombstone of the upload whose blob was removed, claimed or not."""
    connection.execute(
        update(table).where(table.c.id == upload_id, table.c.gone_at.is_(None)).values(gone_at=now_ms)
    )


def unfinished(connection: Connection, *, created_before_ms: int) -> list[str]:
    rows = connection.execute(select(table.c.id).where(table.c.created_at < created_before_ms, *_UNFINISHED))
    return list(rows.scalars())


def unclaimed(connection: Connection, *, finished_before_ms: int) -> list[str]:
    rows = connection.execute(
        select(table.c.id).where(
            table.c.finished_at < finished_before_ms, table.c.message_id.is_(None), table.c.gone_at.is_(None)
        )
    )
    return list(rows.scalars())


def living(connection: Connection, upload_ids: list[str]) -> set[str]:
    """Which of these blobs a row still needs."""
    found: set[str] = set()
    for start in range(0, len(upload_ids), _CHUNK):
        some = upload_ids[start : start + _CHUNK]
        rows = connection.execute(select(table.c.id).where(table.c.id.in_(some), table.c.gone_at.is_(None)))
        found.update(rows.scalars())
    return found


def forget_gone(connection: Connection, *, gone_before_ms: int) -> int:
    """Removes old tombstones; returns how many."""
    return connection.execute(delete(table).where(table.c.gone_at < gone_before_ms)).rowcount


def _upload(row: Row[tuple[object, ...]]) -> Upload:
    return Upload(**row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name for the row as a mapping
