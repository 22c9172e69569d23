"""Events of an account, in order: what the live channel tells and what ``since`` counts.

[Note: Positions of an account] A position is good for one account: no newer than its newest event, and no older than the newest that was
removed, which ``event_ends`` keeps. So nobody else's events are asked for it. The release before gave out the newest number of all
accounts: a client that comes back with such a one, while its own account has nothing as new, reads anew once, which costs a request and loses nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from restante.server.db.message_tables import event_ends
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
_NEWEST_OF_ALL = select(func.max(events.c.id))
_ENDS = select(
    select(func.max(events.c.id)).where(events.c.account_id == bindparam("account")).scalar_subquery(),
    select(event_ends.c.forgotten_id)
    .where(event_ends.c.account_id == bindparam("account"))
    .scalar_subquery(),
)
_FRONT = (
    select(events.c.id, events.c.account_id, events.c.created_at)
    .order_by(events.c.id)
    .limit(bindparam("most"))
)
_FORGET = delete(events).where(events.c.id <= bindparam("last"))
_FORGET_ENDS = delete(event_ends).where(event_ends.c.account_id.in_(bindparam("accounts", expanding=True)))
_ADD_ENDS = insert(event_ends)


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


def is_known(connection: Connection, account_id: int, last_id: int) -> bool:
    """Tells whether all that came to the account after ``last_id`` is still kept. See [Note: Positions of an account]."""
    forgotten, newest_id = _ends(connection, account_id)
    return forgotten <= last_id <= max(forgotten, newest_id)


def newest(connection: Connection, account_id: int) -> int:
    """The position from which nothing has happened to the account yet."""
    return max(_ends(connection, account_id))


def newest_of_all(connection: Connection) -> int:
    """The same of everybody, for ``since``."""
    return connection.execute(_NEWEST_OF_ALL).scalar() or 0


def forget_before(connection: Connection, *, before_ms: int, most: int = 1000) -> int:
    """Removes old events from the front, at most a batch, and notes how far of each account; returns how many.

    Only from the front, whatever the clock said in between: what is kept has no holes, so ``is_known`` stays true.
    """
    ends: dict[int, int] = {}
    for row in connection.execute(_FRONT, {"most": most}):
        if row.created_at >= before_ms:
            break
        ends[row.account_id] = row.id
    if not ends:
        return 0
    connection.execute(_FORGET_ENDS, {"accounts": list(ends)})
    connection.execute(
        _ADD_ENDS, [{"account_id": each, "forgotten_id": last_id} for each, last_id in sorted(ends.items())]
    )
    return connection.execute(_FORGET, {"last": max(ends.values())}).rowcount


def _ends(connection: Connection, account_id: int) -> tuple[int, int]:
    """The newest event that was removed, and the newest that is there; 0 for none."""
    newest_id, forgotten = connection.execute(_ENDS, {"account": account_id}).one()
    return forgotten or 0, newest_id or 0
