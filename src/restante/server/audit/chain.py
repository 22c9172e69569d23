"""Writing lines, in the transaction of what they tell of: one in the chain of each account that had a copy.

[Note: Both sides read the same] Sender and recipients get a line with the same instant, message and hash of the details, each in
a chain of their own: what one was told the other can compare. Lines go after the time of a tombstone; the last one stays, so that a chain never
begins anew.
"""

from sqlalchemy import Connection

from restante.protocol.audit import START, Act, Line, hash_of, write
from restante.protocol.encoding import b64
from restante.server.audit import queries


def ended(connection: Connection, sender_id: int, message_id: str, act: Act, *, now_ms: int) -> None:
    """Notes that a message was taken back by its sender, or expired."""
    about = queries.about(connection, sender_id, message_id)
    if about is not None:
        by = about.sender if act == "deleted" else None
        details = b64(about.details_sha256)
        _append(connection, sender_id, message_id, act, by=by, details=details, now_ms=now_ms)


def bytes_removed(
    connection: Connection, upload_id: str, *, now_ms: int, account_id: int | None = None
) -> None:
    """Notes that the video of a message is gone from the store; nothing when no message had it.

    ``account_id`` is whose upload it was; a task of the release before does not say it.
    """
    carried = queries.carried(connection, upload_id, account_id)
    about = None if carried is None else queries.about(connection, carried.account_id, carried.message_id)
    if about is not None:
        details = b64(about.details_sha256)
        _append(connection, about.account_id, about.id, "removed", by=None, details=details, now_ms=now_ms)


def _append(
    connection: Connection,
    sender_id: int,
    message_id: str,
    act: Act,
    *,
    by: str | None,
    details: str,
    now_ms: int,
) -> None:
    rows = []
    for account_id in queries.holders(connection, sender_id, message_id):
        last = queries.last(connection, account_id)
        line = Line(
            seq=1 if last is None else last.seq + 1,
            at=now_ms,
            act=act,
            message=message_id,
            by=by,
            details=details,
            prev=START if last is None else hash_of(last.line),
        )
        rows.append({"account_id": account_id, "seq": line.seq, "line": write(line), "created_at": now_ms})
    if rows:
        queries.add(connection, rows)
