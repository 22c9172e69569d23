"""Work that follows a commit: rows written in the same transaction, done afterwards, at least once.

[Note: In one node's hands] Where several nodes share the database, each claims a task before it begins, for a quarter of a minute at a
time by the clock of the database, and keeps it while it works. Of one that died the others take over. One that slept longer than its claim, and
wakes, can take off what it did; it puts nothing off that another has in hand by then.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from restante.server.db.functions import NowMs
from restante.server.db.tables import outbox

Kind = Literal[
    "delete-blob",
    "delete-account",
    "tell",
    "push",
    "mail",
    "mail-code",
    "mail-opened",
    "mail-ticket",
    "mail-invite",
    "mail-plan",
    "webhook",
    "payment",
    "forget-customer",
]

QUICK: tuple[Kind, ...] = ("delete-blob",)
"""What the dispatcher does; the rest is the courier's."""
HELD_MS = 15_000
"""How long a claim is good for: see [Note: In one node's hands]."""
AGAIN = "+"
"""Ends the subject of a task that was asked for while the same was in hand."""

_THIS = outbox.c.id == bindparam("task")
_KNOWN = select(outbox.c.id).where(
    outbox.c.kind == bindparam("of_kind"), outbox.c.subject == bindparam("about")
)
_KNOWN_IN_HAND = _KNOWN.where(outbox.c.handed > 0)
_ADD = insert(outbox)
_TASK = select(
    outbox.c.id, outbox.c.kind, outbox.c.subject, outbox.c.attempts, outbox.c.handed, outbox.c.account_id
)
_NOW = bindparam("now", type_=outbox.c.due_at.type)
_IDS = outbox.c.id.in_(bindparam("tasks", expanding=True))
_DUE = (
    _TASK.where(
        outbox.c.due_at <= _NOW,
        outbox.c.held_until <= NowMs(),
        outbox.c.kind.in_(bindparam("kinds", expanding=True)),
    )
    .order_by(outbox.c.id)
    .limit(bindparam("most"))
)
_FREE = (
    _TASK.where(_IDS, outbox.c.held_until <= NowMs()).order_by(outbox.c.id).with_for_update(skip_locked=True)
)
_HOLD = (
    update(outbox)
    .where(_IDS)
    .values(held_by=bindparam("node"), held_until=NowMs() + bindparam("more", type_=outbox.c.held_until.type))
)
_KEEP = (
    update(outbox)
    .where(_IDS, outbox.c.held_by == bindparam("node"))
    .values(held_until=NowMs() + bindparam("more", type_=outbox.c.held_until.type))
)
_LET_GO = update(outbox).where(outbox.c.held_by == bindparam("node")).values(held_by="", held_until=0)
_IS_WAITING = select(outbox.c.id).where(_THIS)
_DONE = delete(outbox).where(_THIS)
_PUT_OFF = (
    update(outbox)
    .where(_THIS, outbox.c.held_by == bindparam("node"))
    .values(attempts=bindparam("tries"), due_at=bindparam("due"), handed=0, held_by="", held_until=0)
)
_STANDING = (
    select(
        outbox.c.kind,
        func.count().label("tasks"),
        func.min(outbox.c.due_at).label("oldest_due_at"),
        func.count().filter(outbox.c.attempts > 0).label("failing"),
        func.max(outbox.c.attempts).label("attempts"),
    )
    .group_by(outbox.c.kind)
    .order_by(outbox.c.kind)
)
_AGAIN_NOW = (
    update(outbox)
    .where(
        outbox.c.kind == bindparam("of_kind"),
        outbox.c.attempts > 0,
        outbox.c.due_at > bindparam("now", type_=outbox.c.due_at.type),
    )
    .values(due_at=bindparam("now", type_=outbox.c.due_at.type))
)
_HAND_OVER = update(outbox).where(_THIS).values(handed=outbox.c.handed + 1)


@dataclass(frozen=True, slots=True)
class Task:
    """One row to dispatch; doing it twice must be harmless."""

    id: int
    kind: Kind
    subject: str
    attempts: int
    handed: int = 0
    """How often it was handed over without anybody knowing how it ended."""
    node: str = ""
    """Who claimed it; empty where nobody else could."""
    account_id: int | None = None
    """Whose it is; None where that matters to nobody, and where the release before asked for it."""


def enqueue(
    connection: Connection, kind: Kind, subject: str, *, due_ms: int, account_id: int | None = None
) -> None:
    """Adds a task; the same kind and subject stand in the queue once. ``account_id`` says in whose shard it works."""
    if not is_queued(connection, kind, subject):
        row = {"kind": kind, "subject": subject, "due_at": due_ms, "attempts": 0, "account_id": account_id}
        connection.execute(_ADD, row)


def is_queued(connection: Connection, kind: Kind, subject: str) -> bool:
    """Tells whether such a task stands in the queue."""
    return connection.execute(_KNOWN, {"of_kind": kind, "about": subject}).first() is not None


def enqueue_again(connection: Connection, kind: Kind, subject: str, *, due_ms: int) -> None:
    """The same for work that may be in somebody's hands just now: what waits is enough, what is handed over is not."""
    enqueue(connection, kind, subject, due_ms=due_ms)
    if connection.execute(_KNOWN_IN_HAND, {"of_kind": kind, "about": subject}).first() is not None:
        enqueue(connection, kind, f"{subject}{AGAIN}", due_ms=due_ms)


def due(
    connection: Connection, *, now_ms: int, most: int = 100, kinds: Collection[Kind] = QUICK
) -> list[Task]:
    """Lists what of some kinds may be done now, oldest first."""
    rows = connection.execute(_DUE, {"now": now_ms, "most": most, "kinds": list(kinds)})
    return [_task(row) for row in rows]


def claim(connection: Connection, tasks: Collection[Task], *, node: str) -> list[Task]:
    """Takes those of the tasks in hand that no other node has. See [Note: In one node's hands]."""
    rows = connection.execute(_FREE, {"tasks": [task.id for task in tasks]}).all()
    found = [_task(row, node=node) for row in rows]
    if found:
        held = {"tasks": [task.id for task in found], "node": node, "more": HELD_MS}
        connection.execute(_HOLD, held)
    return found


def keep(connection: Connection, task_ids: Collection[int], *, node: str) -> None:
    """Keeps in hand what takes its time."""
    connection.execute(_KEEP, {"tasks": list(task_ids), "node": node, "more": HELD_MS})


def let_go(connection: Connection, *, node: str) -> None:
    """Leaves to others whatever a node has in hand."""
    connection.execute(_LET_GO, {"node": node})


def hand_over(connection: Connection, task: Task) -> None:
    """Notes that somebody outside is about to get it; ``put_off`` and ``done`` say how that ended."""
    connection.execute(_HAND_OVER, {"task": task.id})


def put_off(connection: Connection, task: Task, *, due_ms: int, attempts: int) -> None:
    """Lets a task wait, unless another node has it in hand by now."""
    connection.execute(_PUT_OFF, {"task": task.id, "node": task.node, "tries": attempts, "due": due_ms})


def is_waiting(connection: Connection, task: Task) -> bool:
    """Tells whether a task is still to be done."""
    return connection.execute(_IS_WAITING, {"task": task.id}).first() is not None


def done(connection: Connection, task: Task) -> None:
    """Removes a task that was carried out."""
    connection.execute(_DONE, {"task": task.id})


def failed(connection: Connection, task: Task, *, now_ms: int) -> None:
    """Puts a task off: 1 s, then twice as long each time, at most a minute, so that a poison task blocks nobody."""
    wait_ms = min(60_000, 1000 * 2 ** min(task.attempts, 6))
    put_off(connection, task, due_ms=now_ms + wait_ms, attempts=task.attempts + 1)


def standing(connection: Connection) -> list[Row[*tuple[Any, ...]]]:
    """What is to be done, by kind: how many, the oldest, how many were tried in vain, how often the unluckiest was."""
    return list(connection.execute(_STANDING))


def retry(connection: Connection, kind: str, *, now_ms: int) -> int:
    """Has what failed tried again at once; returns how many of them had to wait."""
    return connection.execute(_AGAIN_NOW, {"of_kind": kind, "now": now_ms}).rowcount


def _task(row: Row[*tuple[Any, ...]], *, node: str = "") -> Task:
    return Task(row.id, row.kind, row.subject, row.attempts, row.handed, node, row.account_id)
