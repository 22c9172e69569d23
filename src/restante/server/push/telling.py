"""What other rooms write into the outbox, within their own transaction, so that somebody is told afterwards.

telling.tell(connection, recipients, "message", now_ms=now_ms)
telling.announce(connection, "account.created", now_ms=now_ms)
"""

import secrets
from collections.abc import Collection, Iterable
from typing import Literal

from sqlalchemy import Connection

from restante.server.outbox import queue
from restante.server.push import queries
from restante.server.push.rules import WINDOW_MS, Cause

Announcement = Literal["account.created", "account.deleted", "report.filed"]
"""What an operator's webhook can be told; never who."""


def tell(
    connection: Connection,
    account_ids: Iterable[int],
    cause: Cause,
    *,
    but_not: Collection[int] = (),
    now_ms: int,
) -> None:
    """Has the accounts told that something came; what came within the window of a cause is told once, at its end.

    Of those in ``but_not`` the same is asked, so that it takes as long, and nobody is told.
    """
    for account_id in queries.listening(connection, account_ids):
        before = queries.told_at(connection, account_id, cause)
        due_ms = now_ms if before is None else max(now_ms, before + WINDOW_MS[cause])
        subject = f"{account_id}:{cause}"
        if account_id in but_not:
            queue.is_queued(connection, "tell", subject)
        else:
            queue.enqueue(connection, "tell", subject, due_ms=due_ms)


def announce(connection: Connection, what: Announcement, *, now_ms: int) -> None:
    """Has the operator's webhook told; without one the dispatcher drops it."""
    queue.enqueue(connection, "webhook", f"{what}:{now_ms}:{secrets.token_hex(16)}", due_ms=now_ms)
