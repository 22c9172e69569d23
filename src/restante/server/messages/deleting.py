"""Deleting inside a transaction: copies become tombstones, and when nobody holds one the bytes go too.

[Note: The last holder] The sender's own copy under Sent counts as holding. As long as one living copy is left, details
and video stay for its holder; with the last one they are removed, whoever deleted it.
"""

from sqlalchemy import Connection

from restante.protocol.audit import Act
from restante.server.abuse.service import removal_due_ms
from restante.server.audit import chain
from restante.server.errors import Refusal
from restante.server.failpoints import failpoint
from restante.server.links.service import end_links
from restante.server.messages import marking, queries
from restante.server.messages.rules import Row
from restante.server.outbox import events, queue


def for_me(connection: Connection, account_id: int, message_id: str, *, now_ms: int) -> set[int]:
    """Deletes the account's own copies; returns whose boxes changed. Raises Refusal not-found."""
    own = queries.own_copies(connection, account_id, message_id)
    if not own:
        raise Refusal("not-found")
    sender_id = own[0].sender_id
    living = queries.live_copies(connection, sender_id, message_id)
    mine = {copy.box for copy in living if copy.account_id == account_id}
    if not mine:
        return set()
    changes = events.append(connection, [account_id], "deleted", message_id, now_ms=now_ms)
    queries.bury_copies(connection, sender_id, message_id, changes, now_ms=now_ms)
    if "sent" in mine:
        end_links(connection, account_id, message_id)
    touched = {account_id}
    others = [copy for copy in living if copy.account_id != account_id]
    if "inbox" in mine and own[0].forwarded_by is None:
        senders = {copy.account_id for copy in others if copy.box == "sent"}
        changes = events.append(connection, senders, "mark", message_id, now_ms=now_ms)
        queries.set_changes(connection, message_id, changes)
        touched |= senders
    if not others:
        _remove_bytes(connection, sender_id, own[0], now_ms=now_ms)
    elif "inbox" in mine:
        touched |= marking.end_when_played(connection, own[0], now_ms=now_ms)
    failpoint("delete-before-commit")
    return touched


def for_everyone(connection: Connection, message: Row, act: Act, *, now_ms: int) -> set[int]:
    """Deletes every copy of a message just found, and the bytes; returns whose boxes changed. Twice is once."""
    if message.deleted_at is not None:
        return set()
    living = queries.live_copies(connection, message.account_id, message.id)
    holders = {copy.account_id for copy in living if copy.box != "hidden"}
    blockers = {copy.account_id for copy in living} - holders
    changes = events.append(connection, holders, "deleted", message.id, now_ms=now_ms)
    buried = changes | dict.fromkeys(blockers, 0)
    queries.bury_copies(connection, message.account_id, message.id, buried, now_ms=now_ms)
    chain.ended(connection, message.account_id, message.id, act, now_ms=now_ms)
    _remove_bytes(connection, message.account_id, message, now_ms=now_ms)
    failpoint("delete-before-commit")
    return holders


def _remove_bytes(connection: Connection, sender_id: int, message: Row, *, now_ms: int) -> None:
    queries.bury_message(connection, sender_id, message.id, now_ms=now_ms)
    end_links(connection, sender_id, message.id, with_views=True)
    if message.upload_id is not None:
        due_ms = removal_due_ms(connection, message.id, now_ms=now_ms)
        queue.enqueue(connection, "delete-blob", message.upload_id, due_ms=due_ms, account_id=sender_id)
