"""SQL of pairings. See [Note: Statements made once]."""

from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from restante.server.db.tables import accounts, pairings

AnyRow = Row[*tuple[Any, ...]]

_THIS = pairings.c.lookup == bindparam("which")
_LIVES = pairings.c.expires_at > bindparam("now")
_COLUMNS = select(pairings, accounts.c.name).outerjoin(accounts, accounts.c.id == pairings.c.account_id)

_ADD = insert(pairings)
_BY_LOOKUP = _COLUMNS.where(_THIS, _LIVES)
_BY_CODE = _COLUMNS.where(pairings.c.device_code_sha256 == bindparam("digest"), _LIVES)
_NOTE_POLL = (
    update(pairings).where(_THIS).values(polled_at=bindparam("now"), interval_s=bindparam("interval"))
)
_DECIDE = (
    update(pairings)
    .where(_THIS)
    .values(
        state=bindparam("decided"),
        account_id=bindparam("account"),
        device=bindparam("did"),
        expires_at=bindparam("until"),
    )
)
_NOTE_SESSION = update(pairings).where(_THIS).values(session_id=bindparam("session"))
_FORGET = delete(pairings).where(pairings.c.expires_at <= bindparam("now"))


def add(
    connection: Connection,
    *,
    lookup: str,
    device_code_sha256: bytes,
    label: str,
    interval_s: int,
    now_ms: int,
    expires_at: int,
) -> None:
    row = {
        "lookup": lookup,
        "device_code_sha256": device_code_sha256,
        "label": label,
        "state": "asked",
        "account_id": None,
        "device": None,
        "session_id": None,
        "interval_s": interval_s,
        "polled_at": None,
        "created_at": now_ms,
        "expires_at": expires_at,
    }
    connection.execute(_ADD, row)


def by_lookup(connection: Connection, lookup: str, *, now_ms: int) -> AnyRow | None:
    """A pairing that has not expired; ``name`` is that of the account that decided."""
    return connection.execute(_BY_LOOKUP, {"which": lookup, "now": now_ms}).first()


def by_code(connection: Connection, device_code_sha256: bytes, *, now_ms: int) -> AnyRow | None:
    return connection.execute(_BY_CODE, {"digest": device_code_sha256, "now": now_ms}).first()


def note_poll(connection: Connection, lookup: str, *, now_ms: int, interval_s: int) -> None:
    connection.execute(_NOTE_POLL, {"which": lookup, "now": now_ms, "interval": interval_s})


def decide(
    connection: Connection, lookup: str, state: str, *, account_id: int, device: str | None, expires_at: int
) -> None:
    decision = {
        "which": lookup,
        "decided": state,
        "account": account_id,
        "did": device,
        "until": expires_at,
    }
    connection.execute(_DECIDE, decision)


def note_session(connection: Connection, lookup: str, session_id: str) -> None:
    connection.execute(_NOTE_SESSION, {"which": lookup, "session": session_id})


def forget(connection: Connection, *, now_ms: int) -> int:
    """Removes what has expired; returns how many."""
    return connection.execute(_FORGET, {"now": now_ms}).rowcount
