"""Pure decisions about guest links: what one must be, and whether it still opens anything."""

from datetime import timedelta
from typing import Any

from restante.protocol import limits
from restante.protocol.encoding import unb64
from restante.protocol.wire_links import Link, LinkState, NewLink
from restante.server.errors import Refusal
from restante.server.keys.rules import check_sealed

VIEW_MS = limits.VIEW_FOR // timedelta(milliseconds=1)
TOMBSTONE_MS = limits.TOMBSTONE_FOR // timedelta(milliseconds=1)
Row = Any
"""A row of queries.py: the columns of ``queries.VIEW``."""


def check(link: NewLink, envelope: bytes, *, now_ms: int) -> None:
    """Raises Refusal invalid or too-large for a link that nobody could open."""
    bearer_sha256(link)
    if len(envelope) > limits.ENVELOPE_BYTES:
        raise Refusal("too-large", detail="envelope", limit=limits.ENVELOPE_BYTES)
    check_sealed(envelope)
    if link.expires_at is not None and link.expires_at <= now_ms:
        raise Refusal("invalid", detail="expires_at: lies in the past")


def bearer_sha256(link: NewLink) -> bytes:
    """Reads what the server will know the bearer by. Raises Refusal invalid."""
    try:
        return unb64(link.bearer_sha256, size=32)
    except ValueError as error:
        raise Refusal("invalid", detail="bearer_sha256: 32 bytes, base64url without padding") from error


def secret(text: str) -> bytes:
    """Reads a bearer or a view token. Raises Refusal not-found: whoever has none learns nothing."""
    try:
        return unb64(text, size=32)
    except ValueError as error:
        raise Refusal("not-found") from error


def state(row: Row, *, now_ms: int) -> LinkState:
    """Tells whether a link opens its message, and if not, why."""
    if row.revoked_at is not None:
        return "revoked"
    if not row.message_lives or (row.message_expires_at is not None and row.message_expires_at <= now_ms):
        return "gone"
    if row.expires_at is not None and row.expires_at <= now_ms:
        return "expired"
    if row.most_opens is not None and row.opens >= row.most_opens:
        return "used-up"
    return "open"


def check_opens(row: Row, *, now_ms: int) -> None:
    """Raises Refusal link-gone unless the link may be opened once more."""
    if state(row, now_ms=now_ms) != "open":
        raise Refusal("link-gone")


def check_shows(row: Row, *, now_ms: int) -> None:
    """Raises Refusal link-gone unless those who opened the link may go on: its last open counts for them."""
    if state(row, now_ms=now_ms) not in {"open", "used-up"}:
        raise Refusal("link-gone")


def shaped(row: Row, *, now_ms: int) -> Link:
    """Shapes a link for its owner."""
    return Link(
        id=row.id,
        message=row.message_id,
        state=state(row, now_ms=now_ms),
        created_at=row.created_at,
        expires_at=row.expires_at,
        most_opens=row.most_opens,
        opens=row.opens,
        last_opened_at=row.last_opened_at,
        may_save=bool(row.may_save),
        may_answer=bool(row.may_answer),
    )
