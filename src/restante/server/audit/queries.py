"""SQL of the chains of deletions. See [Note: Statements made once]."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, select, tuple_, union

from restante.server.db.message_tables import deliveries
from restante.server.db.tables import accounts, audit, envelopes, messages, uploads

Row = Any

_ADD = insert(audit)
_LAST_SEQ = select(func.max(audit.c.seq)).where(audit.c.account_id == bindparam("account")).scalar_subquery()
_LAST = select(audit.c.seq, audit.c.line).where(
    audit.c.account_id == bindparam("account"), audit.c.seq == _LAST_SEQ
)
_AFTER = (
    select(audit.c.line)
    .where(audit.c.account_id == bindparam("account"), audit.c.seq > bindparam("last"))
    .order_by(audit.c.seq)
    .limit(bindparam("most"))
)
_ABOUT = (
    select(messages.c.id, messages.c.account_id, messages.c.details_sha256, accounts.c.name.label("sender"))
    .select_from(messages.join(accounts, accounts.c.id == messages.c.account_id))
    .where(messages.c.id == bindparam("message"), messages.c.account_id == bindparam("account"))
)
_CARRIED = select(uploads.c.account_id, uploads.c.message_id).where(
    uploads.c.id == bindparam("upload"), uploads.c.message_id.is_not(None)
)
_CARRIED_OF = _CARRIED.where(uploads.c.account_id == bindparam("account"))
_HOLDERS = union(
    select(deliveries.c.recipient_id).where(
        deliveries.c.message_id == bindparam("message"),
        deliveries.c.account_id == bindparam("account"),
        deliveries.c.is_hidden == 0,
    ),
    select(envelopes.c.account_id).where(
        envelopes.c.message_id == bindparam("message"),
        envelopes.c.account_id == bindparam("account"),
        envelopes.c.box == "sent",
    ),
)
_newer = audit.alias("newer")
_OLD = (
    select(audit.c.account_id, audit.c.seq)
    .where(
        audit.c.created_at < bindparam("before"),
        select(_newer.c.seq)
        .where(and_(_newer.c.account_id == audit.c.account_id, _newer.c.seq == audit.c.seq + 1))
        .exists(),
    )
    .limit(bindparam("most"))
)
_FORGET = delete(audit).where(tuple_(audit.c.account_id, audit.c.seq).in_(_OLD))


def last(connection: Connection, account_id: int) -> Row | None:
    """The newest line of an account's chain."""
    return connection.execute(_LAST, {"account": account_id}).first()


def add(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Stores lines."""
    connection.execute(_ADD, rows)


def after(connection: Connection, account_id: int, seq: int, *, most: int) -> Sequence[str]:
    """The lines of an account after one, in order."""
    wanted = {"account": account_id, "last": seq, "most": most}
    return connection.execute(_AFTER, wanted).scalars().all()


def about(connection: Connection, sender_id: int, message_id: str) -> Row | None:
    """What a line says of a message: its details' hash and its sender."""
    return connection.execute(_ABOUT, {"message": message_id, "account": sender_id}).first()


def carried(connection: Connection, upload_id: str, account_id: int | None) -> Row | None:
    """The message that carried an upload, and whose both are."""
    if account_id is None:
        return connection.execute(_CARRIED, {"upload": upload_id}).first()
    return connection.execute(_CARRIED_OF, {"upload": upload_id, "account": account_id}).first()


def holders(connection: Connection, sender_id: int, message_id: str) -> list[int]:
    """Accounts that have or had a copy, the sender among them, in the order of their numbers."""
    wanted = {"message": message_id, "account": sender_id}
    return sorted(connection.execute(_HOLDERS, wanted).scalars())


def forget(connection: Connection, *, before_ms: int, most: int = 1000) -> int:
    """Removes old lines, a batch, never the last of a chain; returns how many."""
    return connection.execute(_FORGET, {"before": before_ms, "most": most}).rowcount
