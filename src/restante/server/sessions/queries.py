"""SQL of sessions. See [Note: Statements made once]."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from restante.server.db.tables import accounts, sessions

AnyRow = Row[*tuple[Any, ...]]

_THIS = sessions.c.id == bindparam("session")
_OF_ACCOUNT = sessions.c.account_id == bindparam("account")
_LIVES = sessions.c.last_seen_at > bindparam("seen_after")
_IS_THERE = sessions.c.removed_at.is_(None)

_ADD = insert(sessions)
_BY_HASH = (
    select(
        sessions.c.id,
        sessions.c.account_id,
        sessions.c.client,
        sessions.c.last_seen_at,
        sessions.c.removed_at,
        accounts.c.name,
    )
    .join(accounts, accounts.c.id == sessions.c.account_id)
    .where(sessions.c.token_sha256 == bindparam("digest"), _LIVES)
)
_BY_TOKEN = _BY_HASH.where(_OF_ACCOUNT)
_OF_ALL_CLIENTS = (
    select(
        sessions.c.id,
        sessions.c.client,
        sessions.c.label,
        sessions.c.device,
        sessions.c.created_at,
        sessions.c.last_seen_at,
    )
    .where(_OF_ACCOUNT, _LIVES, _IS_THERE)
    .order_by(sessions.c.last_seen_at.desc(), sessions.c.created_at.desc(), sessions.c.id)
)
_REMOVE = delete(sessions).where(_THIS, _OF_ACCOUNT)
_MARK_REMOVED = update(sessions).where(_THIS, _OF_ACCOUNT, _IS_THERE).values(removed_at=bindparam("now"))
_MARK_OTHERS_REMOVED = (
    update(sessions)
    .where(sessions.c.id != bindparam("session"), _OF_ACCOUNT, _IS_THERE)
    .values(removed_at=bindparam("now"))
)
_INTRODUCE = (
    update(sessions).where(_THIS, _OF_ACCOUNT).values(label=bindparam("called"), device=bindparam("did"))
)
_RENEW_TOKEN = update(sessions).where(_THIS, _OF_ACCOUNT, _IS_THERE).values(token_sha256=bindparam("digest"))
_REMOVE_UNUSED = delete(sessions).where(sessions.c.last_seen_at <= bindparam("seen_before"))
_VERIFIED_AT = select(sessions.c.verified_at).where(_THIS, _OF_ACCOUNT)
_VERIFY = update(sessions).where(_THIS, _OF_ACCOUNT).values(verified_at=bindparam("now"))
_TOUCH = (
    update(sessions)
    .where(_THIS, _OF_ACCOUNT, sessions.c.last_seen_at < bindparam("now"))
    .values(last_seen_at=bindparam("now"))
)
_OF_THESE = (
    sessions.c.token_sha256.in_(bindparam("digests", expanding=True)),
    sessions.c.account_id.in_(bindparam("accounts", expanding=True)),
)
_COUNT_LIVING = select(func.count(), func.min(sessions.c.last_seen_at)).where(*_OF_THESE, _LIVES, _IS_THERE)
_LIVING = select(sessions.c.token_sha256).where(*_OF_THESE, _LIVES, _IS_THERE)
_TOUCH_ALL = (
    update(sessions)
    .where(*_OF_THESE, sessions.c.last_seen_at < bindparam("before"))
    .values(last_seen_at=bindparam("now"))
)


def add(
    connection: Connection,
    *,
    session_id: str,
    account_id: int,
    token_sha256: bytes,
    client: str,
    label: str,
    device: str | None,
    now_ms: int,
    verified_at: int,
) -> None:
    row = {
        "id": session_id,
        "account_id": account_id,
        "token_sha256": token_sha256,
        "client": client,
        "label": label,
        "device": device,
        "removed_at": None,
        "created_at": now_ms,
        "last_seen_at": now_ms,
        "verified_at": verified_at,
    }
    connection.execute(_ADD, row)


def by_token(
    connection: Connection, account_id: int, token_sha256: bytes, *, seen_after_ms: int
) -> AnyRow | None:
    """The account's session and the name of the account, unless it has been unused since ``seen_after_ms``.

    One that another device has removed is found, too: with ``removed_at``.
    """
    asked = {"account": account_id, "digest": token_sha256, "seen_after": seen_after_ms}
    return connection.execute(_BY_TOKEN, asked).first()


def by_hash(connection: Connection, token_sha256: bytes, *, seen_after_ms: int) -> AnyRow | None:
    """Likewise, where nobody knows whose it is."""
    return connection.execute(_BY_HASH, {"digest": token_sha256, "seen_after": seen_after_ms}).first()


def of_account(connection: Connection, account_id: int, *, seen_after_ms: int) -> list[AnyRow]:
    """All live sessions of the account, the one used last first."""
    return list(connection.execute(_OF_ALL_CLIENTS, {"account": account_id, "seen_after": seen_after_ms}))


def remove(connection: Connection, account_id: int, session_id: str) -> bool:
    """Removes a session of the account; tells whether there was one."""
    return connection.execute(_REMOVE, {"session": session_id, "account": account_id}).rowcount > 0


def mark_removed(connection: Connection, account_id: int, session_id: str, *, now_ms: int) -> bool:
    """Ends another session of the account, so that its device learns why; tells whether there was one."""
    ended = {"session": session_id, "account": account_id, "now": now_ms}
    return connection.execute(_MARK_REMOVED, ended).rowcount > 0


def mark_others_removed(connection: Connection, account_id: int, session_id: str, *, now_ms: int) -> None:
    """Ends every session of the account but this one."""
    kept = {"session": session_id, "account": account_id, "now": now_ms}
    connection.execute(_MARK_OTHERS_REMOVED, kept)


def introduce(
    connection: Connection, account_id: int, session_id: str, *, label: str, device: str | None
) -> None:
    """Notes what a session calls itself, and which device of the keyring it is."""
    news = {"session": session_id, "account": account_id, "called": label, "did": device}
    connection.execute(_INTRODUCE, news)


def renew_token(connection: Connection, account_id: int, session_id: str, token_sha256: bytes) -> bool:
    """Gives a session another token; tells whether there is such a session still."""
    renewed = {"session": session_id, "account": account_id, "digest": token_sha256}
    return connection.execute(_RENEW_TOKEN, renewed).rowcount > 0


def remove_unused(connection: Connection, *, seen_before_ms: int) -> int:
    """Removes sessions that have been unused since ``seen_before_ms``; returns how many."""
    return connection.execute(_REMOVE_UNUSED, {"seen_before": seen_before_ms}).rowcount


def touch(connection: Connection, account_id: int, session_id: str, *, now_ms: int) -> None:
    """Moves ``last_seen_at`` forward, never back."""
    connection.execute(_TOUCH, {"session": session_id, "account": account_id, "now": now_ms})


def verified_at(connection: Connection, account_id: int, session_id: str) -> int | None:
    """When the session's person last showed who they are; None when it has ended."""
    asked = {"session": session_id, "account": account_id}
    found: int | None = connection.execute(_VERIFIED_AT, asked).scalar()
    return found


def verify(connection: Connection, account_id: int, session_id: str, *, now_ms: int) -> None:
    connection.execute(_VERIFY, {"session": session_id, "account": account_id, "now": now_ms})


def count_living(
    connection: Connection, whose: Mapping[bytes, int], *, seen_after_ms: int
) -> tuple[int, int | None]:
    """How many of the tokens belong to a session that goes on, and when the one of them was seen that was seen first.

    ``whose``: the account of each, by its digest.
    """
    row = connection.execute(_COUNT_LIVING, {**_these(whose), "seen_after": seen_after_ms}).one()
    return row[0], row[1]


def living(connection: Connection, whose: Mapping[bytes, int], *, seen_after_ms: int) -> set[bytes]:
    """Which of them do."""
    found = connection.execute(_LIVING, {**_these(whose), "seen_after": seen_after_ms})
    return {bytes(digest) for digest in found.scalars()}


def touch_all(connection: Connection, whose: Mapping[bytes, int], *, now_ms: int, before_ms: int) -> None:
    """Moves ``last_seen_at`` forward where it lies before ``before_ms``."""
    connection.execute(_TOUCH_ALL, {**_these(whose), "now": now_ms, "before": before_ms})


def _these(whose: Mapping[bytes, int]) -> dict[str, Any]:
    return {"digests": list(whose), "accounts": sorted(set(whose.values()))}
