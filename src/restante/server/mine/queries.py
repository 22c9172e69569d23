"""SQL over all that belongs to one account. See [Note: Statements made once].

[Note: What goes at once] The tables are those of the schema with a column ``account_id``, found when this module is loaded, so
that one that is added later is emptied without anybody thinking of it. What needs more than its rows removed stands in
``_LATER``: messages and uploads have bytes beside the database and copies in other mailboxes, and the log of account
records outlives accounts. So do reports of abuse, without who made them: one that waits keeps what it disclosed, one that was decided keeps
what the decision needs to be taken back.
"""

import hashlib
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from restante.server.db.message_tables import deliveries
from restante.server.db.shapes import metadata
from restante.server.db.tables import (
    accounts,
    envelopes,
    messages,
    reports,
    reserved_names,
    uploads,
)

AnyRow = Row[*tuple[Any, ...]]
BATCH = 100

_ACCOUNT = bindparam("account", type_=accounts.c.id.type)
_NOW = bindparam("now", type_=messages.c.received_at.type)
_LATER = {
    *("messages", "deliveries", "envelopes", "uploads", "events", "log_entries", "reports"),
    *("outbox", "event_ends"),
}
_AT_ONCE = [
    delete(table).where(table.c.account_id == _ACCOUNT)
    for table in reversed(metadata.sorted_tables)
    if "account_id" in table.c and table.name not in _LATER
]
_OWN_REPORTS = reports.c.account_id == _ACCOUNT
_EMPTY_REPORTS = (
    update(reports).where(_OWN_REPORTS, reports.c.state != "open").values(note="", container=b"", details=b"")
)
_LEAVE_REPORTS = update(reports).where(_OWN_REPORTS).values(account_id=None)
_RESERVE = insert(reserved_names)
_RENAME = update(accounts).where(accounts.c.id == _ACCOUNT).values(name=bindparam("called"))
_REMOVE = delete(accounts).where(accounts.c.id == _ACCOUNT)
_EXISTS = select(accounts.c.id).where(accounts.c.id == _ACCOUNT)
_SENT = (
    select(messages.c.id)
    .where(messages.c.account_id == _ACCOUNT, messages.c.deleted_at.is_(None))
    .limit(BATCH)
)
_HELD = (
    select(envelopes.c.message_id)
    .where(envelopes.c.account_id == _ACCOUNT, envelopes.c.deleted_at.is_(None))
    .limit(BATCH)
)
_BLOBS = select(uploads.c.id).where(uploads.c.account_id == _ACCOUNT, uploads.c.gone_at.is_(None))


def reserve(connection: Connection, name: str, *, now_ms: int) -> None:
    """Keeps a name from being taken again; of the name itself only a hash stays."""
    connection.execute(
        _RESERVE, {"name_sha256": hashlib.sha256(name.encode()).digest(), "created_at": now_ms}
    )


def strip(connection: Connection, account_id: int, *, called: str) -> None:
    """Removes sessions, ways in, keys, records and whatever else needs no more than that, and takes the name away."""
    for statement in (*_AT_ONCE, _EMPTY_REPORTS, _LEAVE_REPORTS):
        connection.execute(statement, {"account": account_id})
    connection.execute(_RENAME, {"account": account_id, "called": called})


def exists(connection: Connection, account_id: int) -> bool:
    return connection.execute(_EXISTS, {"account": account_id}).first() is not None


def sent(connection: Connection, account_id: int) -> list[str]:
    """Ids of messages of the account that live, a batch of them."""
    return list(connection.execute(_SENT, {"account": account_id}).scalars())


def held(connection: Connection, account_id: int) -> list[str]:
    """Ids of messages of which the account has a living copy, a batch of them."""
    return list(connection.execute(_HELD, {"account": account_id}).scalars())


def blobs(connection: Connection, account_id: int) -> list[str]:
    return list(connection.execute(_BLOBS, {"account": account_id}).scalars())


def remove(connection: Connection, account_id: int) -> None:
    """Removes the account with every row that still refers to it."""
    connection.execute(_REMOVE, {"account": account_id})


# What is stored


def _live(table: Table) -> tuple[ColumnElement[bool], ...]:
    """The account's rows of messages, or of copies, that have not ended."""
    unexpired = or_(table.c.expires_at.is_(None), table.c.expires_at > _NOW)
    return (table.c.account_id == _ACCOUNT, table.c.deleted_at.is_(None), unexpired)


_RECEIVED = (*_live(envelopes), envelopes.c.box == "inbox")
_UNPLAYED = select(func.count()).select_from(envelopes).where(*_RECEIVED, envelopes.c.played_at.is_(None))
_DELIVERED = messages.join(
    deliveries,
    and_(deliveries.c.message_id == messages.c.id, deliveries.c.account_id == messages.c.account_id),
)


def _with(source: Any, table: Table, peer: Any, *where: Any) -> Select[Any]:
    total = func.sum(table.c.video_bytes)
    return (
        select(
            accounts.c.name,
            func.count().label("messages"),
            total.label("bytes"),
            func.min(table.c.received_at).label("first_at"),
            func.max(table.c.received_at).label("last_at"),
        )
        .select_from(source.join(accounts, accounts.c.id == peer))
        .where(*where)
        .group_by(accounts.c.name)
        .order_by(total.desc(), accounts.c.name)
    )


_FROM = _with(envelopes, envelopes, envelopes.c.sender_id, *_RECEIVED)
_TO = _with(
    _DELIVERED, messages, deliveries.c.recipient_id, *_live(messages), deliveries.c.deleted_at.is_(None)
)
_SENT_BYTES = select(func.coalesce(func.sum(messages.c.video_bytes), 0)).where(
    messages.c.account_id == _ACCOUNT, messages.c.deleted_at.is_(None)
)
_UNSENT_BYTES = select(func.coalesce(func.sum(uploads.c.length), 0)).where(
    uploads.c.account_id == _ACCOUNT, uploads.c.message_id.is_(None), uploads.c.gone_at.is_(None)
)


def unplayed(connection: Connection, account_id: int, *, now_ms: int) -> int:
    """How many living messages of the inbox were never played."""
    return int(connection.execute(_UNPLAYED, {"account": account_id, "now": now_ms}).scalar_one())


def received_from(connection: Connection, account_id: int, *, now_ms: int) -> list[AnyRow]:
    """Living messages in the inbox by their sender: name, messages, bytes, first_at, last_at."""
    return list(connection.execute(_FROM, {"account": account_id, "now": now_ms}))


def sent_to(connection: Connection, account_id: int, *, now_ms: int) -> list[AnyRow]:
    """Living messages by their recipient, likewise."""
    return list(connection.execute(_TO, {"account": account_id, "now": now_ms}))


def own_bytes(connection: Connection, account_id: int) -> tuple[int, int]:
    """Bytes of sent videos, each counted once, and of uploads that no message carries."""
    asked = {"account": account_id}
    return (
        int(connection.execute(_SENT_BYTES, asked).scalar_one()),
        int(connection.execute(_UNSENT_BYTES, asked).scalar_one()),
    )
