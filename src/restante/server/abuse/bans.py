"""Bans: an account that the operator stopped may still read and leave, and send nothing."""

from sqlalchemy import Connection

from restante.server.abuse import queries
from restante.server.config import Settings
from restante.server.errors import Refusal


def check_may_send(connection: Connection, account_id: int, settings: Settings) -> None:
    """Raises Refusal account-banned with the reason and where to appeal."""
    reason = queries.ban_reason(connection, account_id)
    if reason is not None:
        raise Refusal("account-banned", detail=with_appeal(reason, settings))


def with_appeal(reason: str, settings: Settings) -> str:
    """The operator's reason and address, as a refusal tells them."""
    words = [f"Reason: {reason}." if reason else "", f"Appeals: {settings.abuse_contact}"]
    return " ".join(words if settings.abuse_contact else words[:1]).strip()


def ban(connection: Connection, account_id: int, reason: str, *, now_ms: int) -> None:
    """Bans; a second time replaces the reason."""
    lift(connection, account_id)
    queries.add_ban(connection, account_id, reason, now_ms=now_ms)


def lift(connection: Connection, account_id: int) -> None:
    """Takes a ban back."""
    queries.lift_ban(connection, account_id)
