"""SQL of the uploads; each function runs in the caller's transaction.

See [Note: Statements made once].
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import NamedTuple

from sqlalchemy import Connection, Row, and_, bindparam, delete, func, insert, select, update

from restante.server.blobs.ledger import Part, Standing
from restante.server.blobs.store import BlobStat
from restante.server.db.blob_tables import remote_blobs, remote_parts
from restante.server.db.tables import uploads as table
from restante.server.outbox import queue

_UNFINISHED = (table.c.finished_at.is_(None), table.c.gone_at.is_(None))
_BY_ID = table.c.id == bindparam("upload_id")
_THIS = and_(_BY_ID, table.c.account_id == bindparam("account"))
_CHUNK = 500
"""Ids in one IN list; SQLite allows some thousand variables."""

_BY = func.coalesce(table.c.call_sha256, b"")
"""Whose upload of the account's it is: empty for its own."""

_FIND = select(table).where(_THIS)
_FIND_BY_ID = select(table).where(_BY_ID)
_ADD = insert(table)
_COUNT_UNFINISHED = (
    select(func.count())
    .select_from(table)
    .where(table.c.account_id == bindparam("account"), bindparam("by") == _BY, *_UNFINISHED)
)
_RESERVED = select(func.coalesce(func.sum(func.coalesce(table.c.length, bindparam("deferred"))), 0)).where(
    *_UNFINISHED
)
_SET_LENGTH = (
    update(table).where(_THIS, table.c.length.is_(None), *_UNFINISHED).values(length=bindparam("known"))
)
_FINISH = (
    update(table).where(_THIS, *_UNFINISHED).values(finished_at=bindparam("now"), length=bindparam("known"))
)
_MESSAGE = bindparam("message", type_=table.c.message_id.type)
_CLAIM = (
    update(table)
    .where(
        _THIS,
        bindparam("by") == _BY,
        table.c.finished_at.is_not(None),
        table.c.gone_at.is_(None),
        func.coalesce(table.c.message_id, _MESSAGE) == _MESSAGE,
    )
    .values(message_id=_MESSAGE)
    .returning(table.c.length)
)
_BURY = (
    update(table)
    .where(_THIS, table.c.gone_at.is_(None), table.c.message_id.is_(None))
    .values(gone_at=bindparam("now"))
)
_SET_GONE = update(table).where(_THIS, table.c.gone_at.is_(None)).values(gone_at=bindparam("now"))
_SET_GONE_BY_ID = update(table).where(_BY_ID, table.c.gone_at.is_(None)).values(gone_at=bindparam("now"))
_WHOSE = (table.c.account_id, table.c.id)
_OLD_UNFINISHED = select(*_WHOSE).where(table.c.created_at < bindparam("before"), *_UNFINISHED)
_UNCLAIMED = select(*_WHOSE).where(
    table.c.finished_at < bindparam("before"), table.c.message_id.is_(None), table.c.gone_at.is_(None)
)
_LIVING = select(table.c.id).where(
    table.c.id.in_(bindparam("ids", expanding=True)), table.c.gone_at.is_(None)
)
_FORGET = delete(table).where(table.c.gone_at < bindparam("before"))
_UNSUMMED = (
    select(*_WHOSE)
    .where(table.c.sha256.is_(None), table.c.finished_at.is_not(None), table.c.gone_at.is_(None))
    .order_by(table.c.id)
    .limit(bindparam("most"))
)
_SET_SUM = update(table).where(_THIS, table.c.sha256.is_(None)).values(sha256=bindparam("digest"))

_THIS_BLOB = remote_blobs.c.id == bindparam("blob")
_STANDING = (remote_blobs.c.epoch, remote_blobs.c.size, remote_blobs.c.modified_at)
_FIND_BLOB = select(*_STANDING).where(_THIS_BLOB)
_ADD_BLOB = insert(remote_blobs)
_TAKE_BLOB = (
    update(remote_blobs).where(_THIS_BLOB).values(epoch=remote_blobs.c.epoch + 1).returning(*_STANDING)
)
_GROW_BLOB = (
    update(remote_blobs)
    .where(_THIS_BLOB, remote_blobs.c.epoch == bindparam("under"), remote_blobs.c.size == bindparam("at"))
    .values(size=remote_blobs.c.size + bindparam("more"), modified_at=bindparam("now"))
)
_HOLD_BLOB = (
    update(remote_blobs)
    .where(_THIS_BLOB, remote_blobs.c.epoch == bindparam("under"), remote_blobs.c.size == bindparam("whole"))
    .values(epoch=remote_blobs.c.epoch + 1)
)
_ADD_PART = insert(remote_parts)
_PARTS = (
    select(remote_parts.c.offset, remote_parts.c.size, remote_parts.c.name)
    .where(remote_parts.c.blob_id == bindparam("blob"))
    .order_by(remote_parts.c.offset)
)
_FORGET_PARTS = delete(remote_parts).where(remote_parts.c.blob_id == bindparam("blob"))
_FORGET_BLOB = delete(remote_blobs).where(_THIS_BLOB)
_ALL_BLOBS = select(remote_blobs.c.id, remote_blobs.c.size, remote_blobs.c.modified_at)
_KNOWN = select(remote_parts.c.name).where(remote_parts.c.name.in_(bindparam("names", expanding=True)))
_SOME_REMOTE = select(remote_blobs.c.id).limit(1)
_SOME_LOCAL = select(table.c.id).where(table.c.finished_at.is_not(None), table.c.gone_at.is_(None)).limit(1)


class Owned(NamedTuple):
    """An upload and whose it is."""

    account_id: int
    id: str


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
    call_sha256: bytes | None = None
    """The caller who made it for the account; None: the account itself."""
    sha256: bytes | None = None
    """Of the whole blob, once somebody has read it."""


def find(connection: Connection, account_id: int, upload_id: str) -> Upload | None:
    row = connection.execute(_FIND, {"account": account_id, "upload_id": upload_id}).first()
    return _upload(row) if row is not None else None


def find_anybodys(connection: Connection, upload_id: str) -> Upload | None:
    """The same for whoever does not know whose it is: every shard is asked."""
    row = connection.execute(_FIND_BY_ID, {"upload_id": upload_id}).first()
    return _upload(row) if row is not None else None


def add(connection: Connection, upload: Upload) -> None:
    connection.execute(_ADD, asdict(upload))


def count_unfinished(connection: Connection, account_id: int, *, by: bytes) -> int:
    """How many uploads of the account by this caller (empty: its own) are neither finished nor gone."""
    wanted = {"account": account_id, "by": by}
    return int(connection.execute(_COUNT_UNFINISHED, wanted).scalar_one())


def reserved_bytes(connection: Connection, *, deferred: int) -> int:
    """The sum of the lengths of everybody's unfinished uploads; ``deferred`` stands for each that is not known."""
    return int(connection.execute(_RESERVED, {"deferred": deferred}).scalar_one())


def set_length(connection: Connection, account_id: int, upload_id: str, length: int) -> bool:
    """Sets a deferred length; False when the upload is gone or has one."""
    wanted = {"account": account_id, "upload_id": upload_id, "known": length}
    return connection.execute(_SET_LENGTH, wanted).rowcount == 1


def finish(
    connection: Connection, account_id: int, upload_id: str, length: int, *, now_ms: int
) -> int | None:
    """Marks the account's upload finished, once; returns when it was, or None when it is gone."""
    wanted = {"account": account_id, "upload_id": upload_id, "now": now_ms, "known": length}
    done = connection.execute(_FINISH, wanted)
    if done.rowcount == 1:
        return now_ms
    found = find(connection, account_id, upload_id)
    return found.finished_at if found is not None and found.gone_at is None else None


def claim(
    connection: Connection, account_id: int, upload_id: str, message_id: str, *, by: bytes
) -> int | None:
    """Gives the account's finished upload by this caller (empty: its own) to a message, if no other has it; returns its length."""
    wanted = {"account": account_id, "upload_id": upload_id, "message": message_id, "by": by}
    length: int | None = connection.execute(_CLAIM, wanted).scalar()
    return length


def bury(connection: Connection, account_id: int, upload_id: str, *, now_ms: int) -> bool:
    """Makes an unclaimed upload a tombstone and queues its blob for removal; False when it is gone or claimed."""
    wanted = {"account": account_id, "upload_id": upload_id, "now": now_ms}
    buried = connection.execute(_BURY, wanted).rowcount == 1
    if buried:
        queue.enqueue(connection, "delete-blob", upload_id, due_ms=now_ms, account_id=account_id)
    return buried


def bury_unfinished(connection: Connection, account_id: int, upload_id: str, *, now_ms: int) -> bool:
    """The same, unless it was finished in the meantime."""
    found = find(connection, account_id, upload_id)
    if found is None or found.finished_at is not None:
        return False
    return bury(connection, account_id, upload_id, now_ms=now_ms)


def set_gone(connection: Connection, account_id: int | None, upload_id: str, *, now_ms: int) -> None:
    """Makes a tombstone of the upload whose blob was removed, claimed or not; None where a task of the release before does not say whose."""
    if account_id is None:
        connection.execute(_SET_GONE_BY_ID, {"upload_id": upload_id, "now": now_ms})
    else:
        connection.execute(_SET_GONE, {"account": account_id, "upload_id": upload_id, "now": now_ms})


def unfinished(connection: Connection, *, created_before_ms: int) -> list[Owned]:
    return [Owned(*row) for row in connection.execute(_OLD_UNFINISHED, {"before": created_before_ms})]


def unclaimed(connection: Connection, *, finished_before_ms: int) -> list[Owned]:
    return [Owned(*row) for row in connection.execute(_UNCLAIMED, {"before": finished_before_ms})]


def living(connection: Connection, upload_ids: list[str]) -> set[str]:
    """Which of these blobs a row still needs."""
    found: set[str] = set()
    for start in range(0, len(upload_ids), _CHUNK):
        found.update(connection.execute(_LIVING, {"ids": upload_ids[start : start + _CHUNK]}).scalars())
    return found


def unsummed(connection: Connection, *, most: int) -> list[Owned]:
    """Finished uploads that nobody has read to their end yet."""
    return [Owned(*row) for row in connection.execute(_UNSUMMED, {"most": most})]


def set_sum(connection: Connection, account_id: int, upload_id: str, sha256: bytes) -> None:
    """Keeps what a finished blob hashes to; the first reading counts."""
    connection.execute(_SET_SUM, {"account": account_id, "upload_id": upload_id, "digest": sha256})


def forget_gone(connection: Connection, *, gone_before_ms: int) -> int:
    """Removes old tombstones; returns how many."""
    return connection.execute(_FORGET, {"before": gone_before_ms}).rowcount


# The ledger of remote blobs


def find_blob(connection: Connection, blob_id: str) -> Standing | None:
    row = connection.execute(_FIND_BLOB, {"blob": blob_id}).first()
    return Standing(*row) if row is not None else None


def add_blob(connection: Connection, blob_id: str, *, now_ms: int) -> bool:
    """Enters an empty blob; False when there is one."""
    if find_blob(connection, blob_id) is not None:
        return False
    connection.execute(_ADD_BLOB, {"id": blob_id, "epoch": 0, "size": 0, "modified_at": now_ms})
    return True


def take_blob(connection: Connection, blob_id: str) -> Standing | None:
    """Raises the epoch of a blob, and tells where it stands."""
    row = connection.execute(_TAKE_BLOB, {"blob": blob_id}).first()
    return Standing(*row) if row is not None else None


def add_part(connection: Connection, blob_id: str, epoch: int, part: Part, *, now_ms: int) -> bool:
    """Enters a part at the end of a blob, if nobody took the pen or wrote there since."""
    grown = {"blob": blob_id, "under": epoch, "at": part.offset, "more": part.size, "now": now_ms}
    if connection.execute(_GROW_BLOB, grown).rowcount != 1:
        return False
    connection.execute(_ADD_PART, _part_row(blob_id, part))
    return True


def replace_parts(connection: Connection, blob_id: str, epoch: int, whole: Part) -> bool:
    """Puts one part in the place of all, if nobody took the pen or wrote since."""
    held = {"blob": blob_id, "under": epoch, "whole": whole.size}
    if connection.execute(_HOLD_BLOB, held).rowcount != 1:
        return False
    connection.execute(_FORGET_PARTS, {"blob": blob_id})
    connection.execute(_ADD_PART, _part_row(blob_id, whole))
    return True


def parts(connection: Connection, blob_id: str) -> list[Part]:
    return [Part(*row) for row in connection.execute(_PARTS, {"blob": blob_id})]


def forget_blob(connection: Connection, blob_id: str) -> None:
    connection.execute(_FORGET_PARTS, {"blob": blob_id})
    connection.execute(_FORGET_BLOB, {"blob": blob_id})


def all_blobs(connection: Connection) -> list[BlobStat]:
    return [BlobStat(*row) for row in connection.execute(_ALL_BLOBS)]


def known_objects(connection: Connection, names: Collection[str]) -> set[str]:
    """Which of these objects are part of a blob."""
    return set(connection.execute(_KNOWN, {"names": list(names)}).scalars())


def has_remote(connection: Connection) -> bool:
    """Whether some blob is in a bucket."""
    return connection.execute(_SOME_REMOTE).first() is not None


def has_local(connection: Connection) -> bool:
    """Whether there are finished uploads, and none of their blobs is in a bucket."""
    return not has_remote(connection) and connection.execute(_SOME_LOCAL).first() is not None


def _part_row(blob_id: str, part: Part) -> dict[str, object]:
    return {"blob_id": blob_id, "offset": part.offset, "size": part.size, "name": part.name}


def _upload(row: Row[tuple[object, ...]]) -> Upload:
    return Upload(**row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name for the row as a mapping
