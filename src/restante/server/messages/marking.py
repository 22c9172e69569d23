"""What a recipient tells of a message, inside a transaction; and the end of what lasts until it is played.

[Note: Until it is played] When the last recipient has played the message, or deleted it, it gets an expiry a few minutes ahead, so that who
plays it can watch it to its end. From there on it ends like any other.
"""

from datetime import timedelta

from sqlalchemy import Connection

from restante.protocol.limits import PLAYED_GRACE
from restante.protocol.wire import Mark
from restante.server.messages import queries
from restante.server.messages.rules import Row
from restante.server.outbox import events

GRACE_MS = PLAYED_GRACE // timedelta(milliseconds=1)


def note(
    connection: Connection, row: Row, account_id: int, mark: Mark, receipt: bytes | None, *, now_ms: int
) -> set[int]:
    """Stores a mark on the account's received copy just found; returns whose boxes changed."""
    before = queries.find_marks(connection, account_id, row.id)
    after = before.after(mark, receipt, now_ms=now_ms)
    if after == before:
        return set()
    queries.set_marks(connection, account_id, row.sender_id, row.id, after)
    touched = {account_id}
    if not after.quiet and row.forwarded_by is None:
        living = queries.live_copies(connection, row.sender_id, row.id)
        touched |= {copy.account_id for copy in living if copy.box == "sent"}
    changes = events.append(connection, touched, "mark", row.id, now_ms=now_ms)
    queries.set_changes(connection, row.id, changes)
    return touched | end_when_played(connection, row, now_ms=now_ms)


def end_when_played(connection: Connection, row: Row, *, now_ms: int) -> set[int]:
    """Lets the message end soon when it lasts until it is played and nobody is left to play it; returns whose boxes changed."""
    if not row.until_played or queries.is_unplayed(connection, row.sender_id, row.id):
        return set()
    if not queries.set_expiry(connection, row.sender_id, row.id, at_ms=now_ms + GRACE_MS):
        return set()
    living = queries.live_copies(connection, row.sender_id, row.id)
    holders = {copy.account_id for copy in living if copy.box != "hidden"}
    changes = events.append(connection, holders, "mark", row.id, now_ms=now_ms)
    queries.set_changes(connection, row.id, changes)
    return holders
