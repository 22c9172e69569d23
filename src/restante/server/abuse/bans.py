"""Bans: an account that the operator stopped may still read and leave, and send nothing."""

from sqlalchemy import Connection, bindparam, delete, insert, select

from restante.server.config import Settings
from restante.server.db.tables import bans
from restante.server.errors import Refusal

_OF_ACCOUNT = bans.c.account_id == bindparam("account")
_REASON = select(bans.c.reason).where(_OF_ACCOUNT)
_LIFT = delete(bans).where(_OF_ACCOUNT)
_ADD = insert(bans)


def check_may_send(connection: Connection, account_id: int, settings: Settings) -> None:
    """Raises Refusal account-banned with the reason and where to appeal."""
    reason = connection.execute(_REASON, {"account": account_id}).scalar()
    if reason is not None:
        raise Refusal("account-banned", detail=with_appeal(reason, settings))


def with_appeal(reason: str, settings: Settings) -> str:
    """The operator's reason and address, as a refusal tells them."""
    words = [f"Reason: {reason}." if reason else "", f"Appeals: {settings.abuse_contact}"]
    return " ".join(words if settings.abuse_contact else words[:1]).strip()


def ban(connection: Connection, account_id: int, reason: str, *, now_ms: int) -> None:
    """Bans; a second time replaces the reason."""
    lift(connection, account_id)
    connection.execute(_ADD, {"account_id": account_id, "reason": reason, "created_at": now_ms})


def lift(connection: Connection, account_id: int) -> None:
    """Takes a ban back."""
    connection.execute(_LIFT, {"account": account_id})
