"""Deleting inside a transaction: copies become tombstones, and when nobody holds one the bytes go too.

[Note: The last holder] The sender's own copy under Sent counts as holding. As long as one living copy is left, details
and video stay for its holder; with the last one they are removed, whoever deleted it.
"""

from collections.abc import Iterable

from sqlalchemy import Connection

from restante.server.errors import Refusal
from restante.server.failpoints import failpoint
from restante.server.messages import queries
from restante.server.outbox import events, queue


def for_me(connection: Connection, account_id: int, message_id: str, *, now_ms: int) -> set[int]:
    """Deletes the account's own copies; returns whose boxes changed. Raises Refusal not-found."""
    if not queries.own_copies(connection, account_id, message_id):
        raise Refusal("not-found")
    living = queries.live_copies(connection, message_id)
    mine = {copy.box for copy in living if copy.account_id == account_id}
    if not mine:
        return set()
    queries.bury_copies(connection, message_id, account_ids=[account_id], now_ms=now_ms)
    _tell(connection, [account_id], "deleted", message_id, now_ms=now_ms)
    touched = {account_id}
    others = [copy for copy in living if copy.account_id != account_id]
    if "inbox" in mine:
        senders = {copy.account_id for copy in others if copy.box == "sent"}
        _tell(connection, senders, "mark", message_id, now_ms=now_ms)
        touched |= senders
    if not others:
        _remove_bytes(connection, message_id, now_ms=now_ms)
    failpoint("delete-before-commit")
    return touched


def for_everyone(connection: Connection, message_id: str, *, now_ms: int) -> set[int]:
    """Deletes every copy and the bytes; returns whose boxes changed. Twice is once."""
    message = queries.find_message(connection, message_id)
    if message is None or message.deleted_at is not None:
        return set()
    holders = {copy.account_id for copy in queries.live_copies(connection, message_id)}
    queries.bury_copies(connection, message_id, account_ids=holders, now_ms=now_ms)
    _tell(connection, holders, "deleted", message_id, now_ms=now_ms)
    _remove_bytes(connection, message_id, now_ms=now_ms)
    failpoint("delete-before-commit")
    return holders


def _tell(
    connection: Connection,
    account_ids: Iterable[int],
    kind: events.EventKind,
    message_id: str,
    *,
    now_ms: int,
) -> None:
    for account_id in sorted(account_ids):
        change = events.append(connection, account_id, kind, message_id, now_ms=now_ms)
        queries.set_change(connection, account_id, message_id, change)


def _remove_bytes(connection: Connection, message_id: str, *, now_ms: int) -> None:
    message = queries.find_message(connection, message_id)
    queries.bury_message(connection, message_id, now_ms=now_ms)
    if message is not None and message.upload_id is not None:
        queue.enqueue(connection, "delete-blob", message.upload_id, due_ms=now_ms)
