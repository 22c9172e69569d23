"""Passing on, inside a transaction: further recipients get an envelope on the same message.

[Note: Who has it already] A name that has or had the message gets nothing, and the answer is the same: who passes it on does not learn to whom
the sender sent it. What was passed on is not passed on again. For who blocked them as much is done as for others, as when sending.
"""

from sqlalchemy import Connection

from restante.protocol import limits
from restante.server.acquaintances.service import Acquaintances
from restante.server.errors import Refusal
from restante.server.messages import queries
from restante.server.messages.rules import Row
from restante.server.messages.sending import find_recipients, tell
from restante.server.outbox import events
from restante.server.sessions.actor import Actor


def forward(
    connection: Connection,
    actor: Actor,
    row: Row,
    sealed: dict[str, bytes],
    *,
    acquaintances: Acquaintances,
    now_ms: int,
) -> set[int]:
    """Adds envelopes to the actor's received copy just found; returns whose boxes changed. Raises Refusal."""
    if not row.may_forward or row.forwarded_by is not None:
        raise Refusal("may-not-forward")
    recipients = find_recipients(connection, list(sealed))
    holders = queries.holders(connection, row.sender_id, row.id)
    new = {name: account_id for name, account_id in recipients.items() if account_id not in holders}
    if len(holders) + len(new) > limits.COPIES:
        raise Refusal("invalid", detail="envelopes: the message has as many recipients as it may")
    everybody = frozenset(new.values())
    if not everybody:
        return set()
    blockers = acquaintances.who_blocked(connection, actor.account_id, everybody)
    changes = events.append(connection, everybody, "message", row.id, now_ms=now_ms)
    tell(connection, acquaintances, actor.account_id, everybody, blockers, now_ms=now_ms)
    copies = [
        {
            "message_id": row.id,
            "account_id": account_id,
            "box": "hidden" if account_id in blockers else "inbox",
            "envelope": None if account_id in blockers else sealed[name],
            "received_at": now_ms,
            "change": 0 if account_id in blockers else changes[account_id],
            "forwarded_by": actor.account_id,
        }
        for name, account_id in new.items()
    ]
    queries.insert_copies(connection, copies, queries.facts_of(row))
    queries.withhold_events(connection, row.id, blockers, changes)
    return set(everybody - blockers)
