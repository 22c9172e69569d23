"""Events of an account, in order: what the live channel tells and what ``since`` counts."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, delete, func, insert, select

from restante.server.db.tables import events

EventKind = Literal["message", "mark", "deleted"]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a message of the account."""

    id: int
    kind: EventKind
    message_id: str


def append(connection: Connection, account_id: int, kind: EventKind, message_id: str, *, now_ms: int) -> int:
    """Records an event and returns its id, which grows."""
    row = insert(events).values(account_id=account_id, kind=kind, message_id=message_id, created_at=now_ms)
    return int(connection.execute(row.returning(events.c.id)).scalar_one())


def after(connection: Connection, account_id: int, last_id: int, *, most: int = 100) -> list[Event]:
    """Lists what came after ``last_id``, oldest first."""
    rows = connection.execute(
        select(events.c.id, events.c.kind, events.c.message_id)
        .where(events.c.account_id == account_id, events.c.id > last_id)
        .order_by(events.c.id)
        .limit(most)
    )
    return [Event(row.id, row.kind, row.message_id) for row in rows]


def span(connection: Connection, account_id: int) -> tuple[int, int]:
    """The oldest and newest event id still kept for the account; zeros when there is none."""
    row = connection.execute(
        select(func.min(events.c.id), func.max(events.c.id)).where(events.c.account_id == account_id)
    ).one()
    return row[0] or 0, row[1] or 0


def forget_before(connection: Connection, *, before_ms: int) -> int:
    """Removes old events; returns how many."""
    return connection.execute(delete(events).where(events.c.created_at < before_ms)).rowcount
