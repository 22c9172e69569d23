"""SQL over every table that has rows of an account. See [Note: Statements made once].

[Note: Nothing left out] The tables are those of the schema with a column ``account_id``, found when this module is
loaded: one that is added later is counted without anybody thinking of it. The few rows that belong to an account by way of
another table stand in ``_THROUGH``.
"""

from typing import Any

from sqlalchemy import (
    BindParameter,
    Column,
    Connection,
    LargeBinary,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    func,
    literal,
    null,
    select,
)
from sqlalchemy.sql.elements import ColumnElement

from restante.server.db.blob_tables import remote_blobs, remote_parts
from restante.server.db.message_tables import deliveries
from restante.server.db.shapes import metadata
from restante.server.db.tables import (
    accounts,
    envelopes,
    messages,
    uploads,
)

AnyRow = Row[*tuple[Any, ...]]

_ACCOUNT: BindParameter[int] = bindparam("account")
_TIMES = ("created_at", "received_at", "updated_at")
"""When a row came to be; the first of these that a table has."""
_CONTENT: dict[Table, Column[Any]] = {messages: messages.c.video_bytes, uploads: uploads.c.length}
"""Bytes that lie beside the database."""
_UPLOADS = select(uploads.c.id).where(uploads.c.account_id == _ACCOUNT)
_THROUGH: dict[Table, ColumnElement[bool]] = {
    accounts: accounts.c.id == _ACCOUNT,
    remote_blobs: remote_blobs.c.id.in_(_UPLOADS),
    remote_parts: remote_parts.c.blob_id.in_(_UPLOADS),
}


def _size(table: Table) -> ColumnElement[int]:
    sizes: list[ColumnElement[int]] = [
        func.coalesce(func.length(column), 0) for column in table.c if isinstance(column.type, LargeBinary)
    ]
    if table in _CONTENT:
        sizes.append(func.coalesce(_CONTENT[table], 0))
    return func.coalesce(func.sum(sum(sizes, start=literal(0))), 0)


def _count(table: Table, whose: ColumnElement[bool]) -> Select[Any, Any, Any, Any, Any]:
    time = next((table.c[name] for name in _TIMES if name in table.c), None)
    first, last = (func.min(time), func.max(time)) if time is not None else (null(), null())
    return select(
        literal(table.name).label("table"),
        func.count().label("rows"),
        _size(table).label("bytes"),
        first.label("first_at"),
        last.label("last_at"),
    ).where(whose)


def _summed(table: Table) -> tuple[ColumnElement[int], ...]:
    times = func.min(table.c.received_at), func.max(table.c.received_at)
    return (func.count(), *times, func.sum(table.c.video_bytes))


_OWN = {table: table.c.account_id == _ACCOUNT for table in metadata.sorted_tables if "account_id" in table.c}
_COUNTS = [_count(table, whose) for table, whose in {**_THROUGH, **_OWN}.items()]

_NAME = select(accounts.c.created_at).where(accounts.c.id == _ACCOUNT)
_WROTE = (
    select(accounts.c.name, *_summed(envelopes))
    .select_from(envelopes.join(accounts, accounts.c.id == envelopes.c.sender_id))
    .where(envelopes.c.account_id == _ACCOUNT, envelopes.c.box != "sent", envelopes.c.by_caller == 0)
    .group_by(accounts.c.name)
)
_WAS_WRITTEN_TO = (
    select(accounts.c.name, *_summed(messages))
    .select_from(
        messages.join(
            deliveries,
            and_(deliveries.c.message_id == messages.c.id, deliveries.c.account_id == messages.c.account_id),
        ).join(accounts, accounts.c.id == deliveries.c.recipient_id)
    )
    .where(messages.c.account_id == _ACCOUNT, messages.c.by_caller == 0)
    .group_by(accounts.c.name)
)


def tables() -> frozenset[str]:
    """Names the tables that are looked at."""
    return frozenset(table.name for table in (*_THROUGH, *_OWN))


def created_at(connection: Connection, account_id: int) -> int:
    row = connection.execute(_NAME, {"account": account_id}).one()
    return int(row[0])


def counts(connection: Connection, account_id: int) -> list[AnyRow]:
    """One row for each table, in the order of the schema."""
    return [connection.execute(count, {"account": account_id}).one() for count in _COUNTS]


def wrote(connection: Connection, account_id: int) -> list[AnyRow]:
    """Who left the account messages: name, how many, first, last, bytes."""
    return list(connection.execute(_WROTE, {"account": account_id}))


def was_written_to(connection: Connection, account_id: int) -> list[AnyRow]:
    """Whom the account left messages, likewise."""
    return list(connection.execute(_WAS_WRITTEN_TO, {"account": account_id}))
