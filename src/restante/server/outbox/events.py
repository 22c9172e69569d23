"""Events of an account, in order: what the live channel tells and what ``since`` counts."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from restante.server.db.tables import events
from restante.server.db.turns import take_numbers

EventKind = Literal["message", "mark", "deleted"]

_APPEND = insert(events).returning(events.c.account_id, events.c.id)
_AFTER = (
    select(events.c.id, events.c.kind, events.c.message_id)
    .where(events.c.account_id == bindparam("account"), events.c.id > bindparam("last"))
    .order_by(events.c.id)
    .limit(bindparam("most"))
)
_SINCE = (
    select(events.c.id, events.c.account_id)
    .where(events.c.id > bindparam("last"))
    .order_by(events.c.id)
    .limit(bindparam("most"))
)
_NEWEST = select(func.max(events.c.id))
_SPAN = select(select(func.min(events.c.id)).scalar_subquery(), _NEWEST.scalar_subquery())
"""Two questions, each answered by an end of the index; asked as one, SQLite would read the whole table."""
_FRONT = select(events.c.id, events.c.created_at).order_by(events.c.id).limit(bindparam("most"))
_FORGET = delete(events).where(events.c.id <= bindparam("last"))


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a message of the account."""

    id: int
    kind: EventKind
    message_id: str


def append(
    connection: Connection, account_ids: Iterable[int], kind: EventKind, message_id: str, *, now_ms: int
) -> dict[int, int]:
    """Records an event for each of the accounts; returns the ids of the events, by account.

    They grow, also in the order in which others see them: see [Note: Later means larger].
    """
    rows = [
        {"account_id": account_id, "kind": kind, "message_id": message_id, "created_at": now_ms}
        for account_id in sorted(account_ids)
    ]
    if not rows:
        return {}
    take_numbers(connection)
    return {row.account_id: row.id for row in connection.execute(_APPEND, rows)}


def after(connection: Connection, account_id: int, last_id: int, *, most: int = 100) -> list[Event]:
    """Lists what came after ``last_id``, oldest first."""
    rows = connection.execute(_AFTER, {"account": account_id, "last": last_id, "most": most})
    return [Event(row.id, row.kind, row.message_id) for row in rows]


def since(connection: Connection, last_id: int, *, most: int) -> list[tuple[int, int]]:
    """Lists the ids and accounts of what happened to anybody after ``last_id``, oldest first."""
    return [(row[0], row[1]) for row in connection.execute(_SINCE, {"last": last_id, "most": most})]


def is_known(connection: Connection, last_id: int) -> bool:
    """Tells whether all that came after ``last_id`` is still kept: it lies between the oldest and the newest event.

    Ids are counted over all accounts, so a position is good even when its own event was another account's.
    """
    row = connection.execute(_SPAN).one()
    oldest, newest = row[0] or 0, row[1] or 0
    return oldest - 1 <= last_id <= newest


def newest(connection: Connection) -> int:
    """The position from which nothing has happened yet."""
    return connection.execute(_NEWEST).scalar() or 0


def forget_before(connection: Connection, *, before_ms: int, most: int = 1000) -> int:
    """Removes old events from the front, at most a batch; returns how many.

    Only from the front, whatever the clock said in between: what is kept has no holes, so ``is_known`` stays true.
    """
    front = connection.execute(_FRONT, {"most": most})
    last_id = 0
    for row in front:
        if row.created_at >= before_ms:
            break
        last_id = row.id
    return connection.execute(_FORGET, {"last": last_id}).rowcount
