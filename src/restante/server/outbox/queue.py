"""Work that follows a commit: rows written in the same transaction, done afterwards, at least once."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from restante.server.db.tables import outbox

Kind = Literal["delete-blob"]

_THIS = outbox.c.id == bindparam("task")
_KNOWN = select(outbox.c.id).where(
    outbox.c.kind == bindparam("of_kind"), outbox.c.subject == bindparam("about")
)
_ADD = insert(outbox)
_DUE = (
    select(outbox.c.id, outbox.c.kind, outbox.c.subject, outbox.c.attempts)
    .where(outbox.c.due_at <= bindparam("now"))
    .order_by(outbox.c.id)
    .limit(bindparam("most"))
)
_IS_WAITING = select(outbox.c.id).where(_THIS)
_DONE = delete(outbox).where(_THIS)
_PUT_OFF = update(outbox).where(_THIS).values(attempts=bindparam("tries"), due_at=bindparam("due"))


@dataclass(frozen=True, slots=True)
class Task:
    """One row to dispatch; doing it twice must be harmless."""

    id: int
    kind: Kind
    subject: str
    attempts: int


def enqueue(connection: Connection, kind: Kind, subject: str, *, due_ms: int) -> None:
    """Adds a task; the same kind and subject stand in the queue once."""
    if connection.execute(_KNOWN, {"of_kind": kind, "about": subject}).first() is None:
        connection.execute(_ADD, {"kind": kind, "subject": subject, "due_at": due_ms, "attempts": 0})


def due(connection: Connection, *, now_ms: int, most: int = 100) -> list[Task]:
    """Lists what may be done now, oldest first."""
    rows = connection.execute(_DUE, {"now": now_ms, "most": most})
    return [Task(row.id, row.kind, row.subject, row.attempts) for row in rows]


def is_waiting(connection: Connection, task: Task) -> bool:
    """Tells whether a task is still to be done."""
    return connection.execute(_IS_WAITING, {"task": task.id}).first() is not None


def done(connection: Connection, task: Task) -> None:
    """Removes a task that was carried out."""
    connection.execute(_DONE, {"task": task.id})


def failed(connection: Connection, task: Task, *, now_ms: int) -> None:
    """Puts a task off: 1 s, then twice as long each time, at most a minute, so that a poison task blocks nobody."""
    wait_ms = min(60_000, 1000 * 2 ** min(task.attempts, 6))
    connection.execute(_PUT_OFF, {"task": task.id, "tries": task.attempts + 1, "due": now_ms + wait_ms})
